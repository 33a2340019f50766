# Mean of -log softmax(logits)[label] over labels other than the ignored one.
def forward(self: __torch__.Kernel,
    logits: Tensor,
    labels: Tensor) -> Tensor:
  return torch.cross_entropy_loss(logits, labels, None, ${reduction}, ${ignored}, 0.)
