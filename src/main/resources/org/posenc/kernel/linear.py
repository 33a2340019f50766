# A linear map.
def forward(self: __torch__.Kernel,
    x: Tensor${weights}) -> Tensor:
  h = ${h}
  return ${y}
