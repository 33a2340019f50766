# softmax(Q K^T scale) V, never as a T x S matrix.
def forward(self: __torch__.Kernel,
    q: Tensor,
    k: Tensor,
    v: Tensor) -> Tensor:
  return torch.scaled_dot_product_attention(q, k, v, None, ${dropout}, ${causal}, scale=${scale})
