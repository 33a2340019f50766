# Pairs (x_i, x_i+r/2): [a cos - b sin, b cos + a sin].
def forward(self: __torch__.Kernel,
    x: Tensor,
    table: Tensor) -> Tensor:
  a, b = torch.chunk(torch.to(x, ${compute}), 2, -1)
  c, s = torch.unbind(table, -1)
  turned = torch.cat([torch.addcmul(torch.mul(a, c), b, s, value=-1), torch.addcmul(torch.mul(b, c), a, s)], -1)
  return torch.to(turned, ${type})
