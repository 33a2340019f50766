# x = U diag(s) V^T in float64.
def forward(self: __torch__.Kernel,
    x: Tensor) -> List[Tensor]:
  u, s, vt = torch.linalg_svd(torch.to(x, 7), ${square})
  return [u, s, vt]
