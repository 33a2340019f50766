# silu(gate) * x, silu(z) = z / (1 + exp(-z)).
def forward(self: __torch__.Kernel,
    gate: Tensor,
    x: Tensor) -> Tensor:
  return torch.mul(torch.silu(gate), x)
