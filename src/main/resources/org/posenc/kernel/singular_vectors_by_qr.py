# x = U diag(s) V^T in float64, of the transposed factors x^T = Q R: R^T = U diag(s) W^T, V = Q W.
def forward(self: __torch__.Kernel,
    x: Tensor) -> List[Tensor]:
  q, r = torch.linalg_qr(torch.transpose(torch.to(x, 7), 0, 1), "${mode}")
  u, s, wt = torch.linalg_svd(torch.transpose(r, 0, 1), ${square})
  return [u, s, torch.matmul(wt, torch.transpose(q, 0, 1))]
