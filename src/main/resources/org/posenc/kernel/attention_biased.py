# softmax(Q K^T scale + bias) V.
def forward(self: __torch__.Kernel,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    bias: Tensor) -> Tensor:
  a = torch.to(q, ${compute})
  b = torch.to(k, ${compute})
  c = torch.to(v, ${compute})
  added = torch.to(${bias}, ${compute})
  y = torch.scaled_dot_product_attention(a, b, c, added, ${dropout}, False, scale=${scale})
  return torch.to(y, ${type})
