def forward(self: __torch__.Kernel,
    x: Tensor) -> Tensor:
  y = torch.to(x, 7)
  g = torch.matmul(torch.transpose(y, -2, -1), y)
  return torch.linalg_eigvalsh(g)
