# Rows of x, in the order given.
def forward(self: __torch__.Kernel,
    x: Tensor,
    rows: Tensor) -> Tensor:
  return torch.index_select(x, 0, rows)
