# To a narrower type, whose tiny numbers become 0.
def forward(self: __torch__.Kernel,
    x: Tensor) -> Tensor:
  return torch.to(torch.hardshrink(x, ${least}), ${type})
