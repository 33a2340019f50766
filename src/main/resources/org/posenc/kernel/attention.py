# softmax(Q K^T scale) V, never as a T x S matrix.
def forward(self: __torch__.Kernel,
    q: Tensor,
    k: Tensor,
    v: Tensor) -> Tensor:
  a = torch.to(q, ${compute})
  b = torch.to(k, ${compute})
  c = torch.to(v, ${compute})
  y = torch.scaled_dot_product_attention(a, b, c, None, ${dropout}, ${causal}, scale=${scale})
  return torch.to(y, ${type})
