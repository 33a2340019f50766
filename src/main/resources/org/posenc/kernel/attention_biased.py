# softmax(Q K^T scale + bias) V.
def forward(self: __torch__.Kernel,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    bias: Tensor) -> Tensor:
  return torch.scaled_dot_product_attention(q, k, v, bias, ${dropout}, False, scale=${scale})
