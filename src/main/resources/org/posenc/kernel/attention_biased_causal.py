# softmax(Q K^T scale + bias) V over keys that are not in the future; the last query sees every key.
def forward(self: __torch__.Kernel,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    bias: Tensor) -> Tensor:
  t = torch.size(q, 2)
  s = torch.size(k, 2)
  future = torch.triu(torch.new_ones(q, [t, s], dtype=11), torch.add(torch.sub(s, t), 1))
  a = torch.to(q, ${compute})
  b = torch.to(k, ${compute})
  c = torch.to(v, ${compute})
  added = torch.masked_fill(torch.to(${bias}, ${compute}), future, ${lowest})
  y = torch.scaled_dot_product_attention(a, b, c, added, ${dropout}, False, scale=${scale})
  return torch.to(y, ${type})
