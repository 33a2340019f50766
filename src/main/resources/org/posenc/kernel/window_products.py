# Products of queries and keys, taken twice: those of pairs inside the window, and of all others.
# Query heads that share a key head stand one below the other, so no key is repeated.
def forward(self: __torch__.Kernel,
    q: Tensor,
    k: Tensor,
    far_q: Tensor,
    far_k: Tensor,
    inside: Tensor) -> Tensor:
  b = torch.size(q, 0)
  h = torch.size(q, 1)
  t = torch.size(q, 2)
  g = torch.size(k, 1)
  s = torch.size(k, 2)
  d = torch.size(q, 3)
  rows = torch.mul(torch.floordiv(h, g), t)
  near = torch.matmul(torch.reshape(q, [b, g, rows, d]), torch.transpose(k, -2, -1))
  far = torch.matmul(torch.reshape(far_q, [b, g, rows, d]), torch.transpose(far_k, -2, -1))
  near0 = torch.reshape(near, [b, h, t, s])
  far0 = torch.reshape(far, [b, h, t, s])
  if ${training}:
    products = torch.where(inside, near0, far0)
  else:
    products = torch.where(inside, near0, far0, out=near0)
  return products
