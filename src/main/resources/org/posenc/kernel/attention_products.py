# softmax(P scale + bias) V, where P are products of queries and keys. Heads that share values stand
# one below the other, so no value is repeated.
def forward(self: __torch__.Kernel,
    p: Tensor,
    v: Tensor,
    bias: Tensor) -> Tensor:
  scores = torch.add(bias, p, alpha=${scale})
  if ${causal}:
    t0 = torch.size(p, 2)
    s0 = torch.size(p, 3)
    future = torch.triu(torch.new_ones(p, [t0, s0], dtype=11), torch.add(torch.sub(s0, t0), 1))
    seen = torch.masked_fill(scores, future, ${lowest})
  else:
    seen = scores
  weights = torch.dropout(torch.softmax(seen, -1), ${dropout}, True)
  b, h, t, s = torch.size(weights)
  g = torch.size(v, 1)
  rows = torch.mul(torch.floordiv(h, g), t)
  grouped = torch.reshape(torch.to(weights, ${compute}), [b, g, rows, s])
  y = torch.matmul(grouped, torch.to(v, ${compute}))
  return torch.to(torch.reshape(y, [b, h, t, torch.size(v, 3)]), ${type})
