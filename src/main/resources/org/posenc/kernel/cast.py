def forward(self: __torch__.Kernel,
    x: Tensor) -> Tensor:
  return torch.to(x, ${type})
