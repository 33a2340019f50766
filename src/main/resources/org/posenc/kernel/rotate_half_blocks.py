# Pairs (x_i, x_i+r/2) without gradients, a few rows at a time so that they stay in the cache.
# Rows lie one after the other in memory, so the other half of a pair is r/2 places further or
# before: three passes over long stretches, where a zero in the table stands for "no such pair".
def forward(self: __torch__.Kernel,
    x: Tensor,
    table: Tensor) -> Tensor:
  c, s = torch.unbind(table, -1)
  none = torch.zeros_like(s)
  half = torch.size(s, -1)
  x0 = torch.contiguous(torch.to(x, ${compute}))
  y = torch.empty_like(x0)
  row = torch.floordiv(torch.numel(x0), torch.size(x0, -2))
  rows = ops.prim.max(32, torch.floordiv(${block}, row))
  xs = torch.split(x0, rows, -2)
  ys = torch.split(y, rows, -2)
  same = torch.split(torch.cat([c, c], -1), rows, -2)
  further = torch.split(torch.cat([torch.neg(s), none], -1), rows, -2)
  before = torch.split(torch.cat([none, s], -1), rows, -2)
  for i in range(torch.len(xs)):
    a = torch.flatten(xs[i], -2)
    b = torch.flatten(ys[i], -2)
    n = torch.sub(torch.size(a, -1), half)
    _0 = torch.mul(a, torch.flatten(same[i], -2), out=b)
    _1 = torch.addcmul_(torch.narrow(b, -1, 0, n), torch.narrow(a, -1, half, n), torch.narrow(torch.flatten(further[i], -2), -1, 0, n))
    _2 = torch.addcmul_(torch.narrow(b, -1, half, n), torch.narrow(a, -1, 0, n), torch.narrow(torch.flatten(before[i], -2), -1, half, n))
  return torch.to(y, ${type})
