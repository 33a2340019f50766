# A linear map.
def forward(self: __torch__.Kernel,
    x: Tensor${weights}) -> Tensor:
  h = torch.to(x, ${compute})
  return torch.to(${y}, ${type})
