# Contextual positions: how many gates sigmoid(q k) are open from key j to query i, and the query's
# product with the embedding of that position, interpolated between whole ones. The last query is
# the last key. Heads that share a key are multiplied with it as further queries.
def forward(self: __torch__.Kernel,
    queries: Tensor,
    keys: Tensor,
    embedding: Tensor) -> Tensor:
  q = torch.to(queries, ${wide})
  k = torch.to(keys, ${wide})
  b, h, t, d = torch.size(q)
  g = torch.size(k, 1)
  s = torch.size(k, 2)
  grouped = torch.reshape(torch.mul(q, ${scale}), [b, g, torch.mul(torch.floordiv(h, g), t), d])
  logits = torch.reshape(torch.matmul(grouped, torch.transpose(k, 2, 3)), [b, h, t, s])
  future = torch.triu(torch.new_ones(q, [t, s], dtype=11), torch.add(torch.sub(s, t), 1))
  gates = torch.sigmoid(torch.masked_fill_(logits, future, ${closed}))
  counted = torch.flip(torch.cumsum(torch.flip(gates, [3]), 3), [3])
  p = torch.clamp(counted, None, torch.sub(torch.size(embedding, 1), 1))
  below = torch.floor(p)
  above = torch.ceil(p)
  z = torch.matmul(q, torch.transpose(embedding, 1, 2))
  part = torch.sub(p, below)
  lower = torch.gather(z, 3, torch.to(below, 4))
  upper = torch.gather(z, 3, torch.to(above, 4))
  bias = torch.masked_fill_(torch.lerp(lower, upper, part), future, 0)
  return torch.to(bias, ${type})
