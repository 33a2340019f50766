# Pairs (x_2i, x_2i+1) as complex numbers, times cos + i sin.
def forward(self: __torch__.Kernel,
    x: Tensor,
    table: Tensor) -> Tensor:
  pairs = torch.view_as_complex(torch.unflatten(torch.to(x, ${compute}), -1, [-1, 2]))
  turned = torch.mul(pairs, torch.view_as_complex(table))
  return torch.to(torch.flatten(torch.view_as_real(turned), -2), ${type})
