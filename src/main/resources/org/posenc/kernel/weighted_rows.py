# Sums of a few rows of x each, with weights.
def forward(self: __torch__.Kernel,
    x: Tensor,
    rows: Tensor,
    weights: Tensor) -> Tensor:
  p = torch.size(rows, 0)
  j = torch.size(rows, 1)
  offsets = torch.mul(torch.arange(p, dtype=4, layout=None, device=ops.prim.device(rows)), j)
  all = torch.reshape(rows, [-1])
  w = torch.reshape(weights, [-1])
  y, _0, _1, _2 = torch.embedding_bag(torch.contiguous(x), all, offsets, False, 0, False, w)
  return y
