# A linear map, an activation and another map, nothing between them in a wider type than products.
def forward(self: __torch__.Kernel,
    x: Tensor${weights}) -> Tensor:
  h = ${h}
  z = ${inner}
  return ${y}
