def forward(self: __torch__.Kernel,
    x: Tensor) -> Tensor:
  return torch.linalg_svdvals(x)
