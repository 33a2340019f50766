# A square matrix of few diagonals times the rows of x, a block of columns at a time so that it
# stays in the cache: y[c, i] = sum over j of values[j, i] x[c, i + offset j].
def forward(self: __torch__.Kernel,
    x: Tensor,
    values: Tensor,
    offsets: Tensor) -> Tensor:
  y = torch.zeros_like(x, memory_format=0)
  n = torch.size(x, 1)
  padded = torch.constant_pad_nd(x, [${reach}, ${reach}], 0)
  from0 = 0
  while torch.lt(from0, n):
    block = ops.prim.min(${block}, torch.sub(n, from0))
    sums = torch.narrow(y, 1, from0, block)
    for j in range(torch.size(values, 0)):
      at = torch.add(from0, torch.add(${reach}, int(torch.select(offsets, 0, j))))
      part = torch.narrow(torch.select(values, 0, j), 0, from0, block)
      _0 = torch.addcmul_(sums, torch.narrow(padded, 1, at, block), part)
    from0 = torch.add(from0, block)
  return y
