# log sigmoid(x W^T + b), (B, S, E) to (B, H, S).
def forward(self: __torch__.Kernel,
    x: Tensor,
    weight: Tensor,
    bias: Tensor) -> Tensor:
  return torch.transpose(torch.log_sigmoid(torch.linear(torch.to(x, ${wide}), weight, bias)), 1, 2)
