# x W^T, in another type than its own.
def forward(self: __torch__.Kernel,
    x: Tensor,
    w: Tensor) -> Tensor:
  y = torch.linear(torch.to(x, ${compute}), torch.to(w, ${compute}))
  return torch.to(y, ${type})
