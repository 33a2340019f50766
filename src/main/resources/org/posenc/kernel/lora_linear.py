# x W^T + scale dropout(x) A^T B^T.
def forward(self: __torch__.Kernel,
    x: Tensor,
    w: Tensor,
    a: Tensor,
    b: Tensor) -> Tensor:
  h = torch.to(x, ${compute})
  y = torch.linear(h, torch.to(w, ${compute}))
  low = torch.linear(torch.dropout(h, ${dropout}, True), torch.to(a, ${compute}))
  return torch.to(torch.add(y, torch.linear(low, torch.to(b, ${compute})), alpha=${scale}), ${type})
