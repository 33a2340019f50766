# Pairs (x_i, x_i+r/2): x [cos, cos] + (halves of x exchanged) [-sin, sin].
def forward(self: __torch__.Kernel,
    x: Tensor,
    table: Tensor) -> Tensor:
  c, s = torch.unbind(table, -1)
  x0 = torch.to(x, ${compute})
  exchanged = torch.roll(x0, [torch.size(s, -1)], [-1])
  turned = torch.addcmul_(torch.mul(x0, torch.cat([c, c], -1)), exchanged, torch.cat([torch.neg(s), s], -1))
  return torch.to(turned, ${type})
