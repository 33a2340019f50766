# Features of points, interpolated linearly along each axis between the corners of their cells in
# several grids, whose rows of one table are numbered or, beyond the first grids, hashed.
def forward(self: __torch__.Kernel,
    x: Tensor,
    table: Tensor,
    sides: Tensor,
    strides: Tensor,
    first: Tensor) -> Tensor:
  p, m = torch.size(x)
  l = torch.size(sides, 0)
  n = torch.unsqueeze(sides, 1)
  s = torch.mul(torch.unsqueeze(torch.clamp(x, 0, 1), 1), n)
  low = torch.minimum(torch.floor(torch.detach(s)), torch.sub(n, 1))
  part = torch.sub(s, low)
  step = torch.to(strides, 4)
  start = torch.mul(torch.to(low, 4), step)
  weights = torch.unbind(torch.stack([torch.rsub(part, 1), part], -1), 2)
  ends = torch.unbind(torch.stack([start, torch.add(start, step)], -1), 2)
  w = weights[0]
  numbered = torch.narrow(ends[0], 1, 0, ${numbered})
  hashed = torch.narrow(ends[0], 1, ${numbered}, torch.sub(l, ${numbered}))
  for axis in range(1, m):
    w = torch.flatten(torch.mul(torch.unsqueeze(w, -1), torch.unsqueeze(weights[axis], -2)), 2)
    end = torch.unsqueeze(ends[axis], -2)
    end0 = torch.narrow(end, 1, 0, ${numbered})
    end1 = torch.narrow(end, 1, ${numbered}, torch.sub(l, ${numbered}))
    numbered = torch.flatten(torch.add(torch.unsqueeze(numbered, -1), end0), 2)
    hashed = torch.flatten(torch.bitwise_xor(torch.unsqueeze(hashed, -1), end1), 2)
  bucket = torch.remainder(torch.bitwise_and(hashed, 4294967295), ${buckets})
  rows = torch.add(torch.cat([numbered, bucket], 1), torch.unsqueeze(torch.to(first, 4), 1))
  corners = torch.size(w, 2)
  values = torch.index_select(table, 0, torch.reshape(rows, [-1]))
  cells = torch.reshape(values, [torch.mul(p, l), corners, torch.size(table, 1)])
  y = torch.bmm(torch.reshape(w, [torch.mul(p, l), 1, corners]), cells)
  return torch.reshape(y, [p, torch.mul(l, torch.size(table, 1))])
