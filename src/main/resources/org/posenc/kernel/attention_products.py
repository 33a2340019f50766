# softmax(P scale + bias) V, where P are products of queries and keys.
def forward(self: __torch__.Kernel,
    p: Tensor,
    v: Tensor,
    bias: Tensor) -> Tensor:
  scores = torch.add(bias, p, alpha=${scale})
  if ${causal}:
    t = torch.size(p, 2)
    s = torch.size(p, 3)
    future = torch.triu(torch.new_ones(p, [t, s], dtype=11), torch.add(torch.sub(s, t), 1))
    seen = torch.masked_fill(scores, future, ${lowest})
  else:
    seen = scores
  weights = torch.dropout(torch.softmax(seen, -1), ${dropout}, True)
  y = torch.matmul(torch.to(weights, ${compute}), torch.to(v, ${compute}))
  return torch.to(y, ${type})
