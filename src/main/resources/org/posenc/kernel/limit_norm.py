# Scales all arrays by min(1, limit / their common norm), as torch.nn.utils.clip_grad_norm_ does.
def forward(self: __torch__.Kernel,
    arrays: List[Tensor],
    limit: float) -> Tensor:
  norm = torch.norm(torch.stack(torch._foreach_norm(arrays, 2.)))
  factor = torch.clamp(torch.mul(torch.reciprocal(torch.add(norm, 9.9999999999999995e-07)), limit), None, 1.)
  torch._foreach_mul_(arrays, factor)
  return norm
