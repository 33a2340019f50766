# Pairs (x_i, x_i+r/2) without gradients, written into one array, a few rows at a time so that they
# stay in the cache: y = x [cos, cos], then its halves -= x_i+r/2 sin and += x_i sin.
def forward(self: __torch__.Kernel,
    x: Tensor,
    table: Tensor) -> Tensor:
  c, s = torch.unbind(table, -1)
  half = torch.size(s, -1)
  x0 = torch.to(x, ${compute})
  y = torch.empty_like(x0, memory_format=0)
  row = torch.floordiv(torch.numel(x0), torch.size(x0, -2))
  rows = ops.prim.max(32, torch.floordiv(${block}, row))
  xs = torch.split(x0, rows, -2)
  ys = torch.split(y, rows, -2)
  cosines = torch.split(torch.cat([c, c], -1), rows, -2)
  sines = torch.split(torch.contiguous(s), rows, -2)
  for i in range(torch.len(xs)):
    _0 = torch.mul(xs[i], cosines[i], out=ys[i])
    x1 = torch.narrow(xs[i], -1, 0, half)
    x2 = torch.narrow(xs[i], -1, half, half)
    _1 = torch.addcmul_(torch.narrow(ys[i], -1, 0, half), x2, sines[i], value=-1)
    _2 = torch.addcmul_(torch.narrow(ys[i], -1, half, half), x1, sines[i])
  return torch.to(y, ${type})
