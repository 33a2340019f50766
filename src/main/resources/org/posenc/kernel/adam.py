# One step of Adam on all arrays at once; their gradients are zero afterwards.
def forward(self: __torch__.Kernel,
    weights: List[Tensor],
    gradients: List[Tensor],
    means: List[Tensor],
    squares: List[Tensor],
    step: float,
    rate: float,
    decay: float) -> Tensor:
  device = ops.prim.device(weights[0])
  count = torch.full(annotate(List[int], []), step, dtype=6, layout=None, device=device)
  counts = torch.mul([count], torch.len(weights))
  none = annotate(List[Tensor], [])
  torch.${operation}(weights, gradients, means, squares, none, counts, lr=rate, beta1=${beta1}, beta2=${beta2}, weight_decay=decay, eps=${epsilon}, amsgrad=False, maximize=False)
  torch._foreach_zero_(gradients)
  return count
