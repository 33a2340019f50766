# What is left of key j at query i, as a logarithm: the sum of the gates after j up to i. The last
# query is the last key. Differences of one running sum, in double precision, which a long
# sequence's sum needs.
def forward(self: __torch__.Kernel,
    gates: Tensor,
    queries: Tensor) -> Tensor:
  s = torch.size(gates, 2)
  t = torch.size(queries, 2)
  c = torch.cumsum(gates, 2, dtype=7)
  now = torch.narrow(c, 2, torch.sub(s, t), t)
  left = torch.sub(torch.unsqueeze(now, 3), torch.unsqueeze(c, 2))
  future = torch.triu(torch.new_ones(left, [t, s], dtype=11), torch.add(torch.sub(s, t), 1))
  typed = torch.to(torch.masked_fill_(left, future, 0), ${type})
  if ${clamped}:
    bias = torch.clamp(typed, ${lowest}, None)
  else:
    bias = typed
  return bias
