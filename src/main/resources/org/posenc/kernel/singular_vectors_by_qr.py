# x = U diag(s) V^T in float64, of the transposed factors x^T = Q R in another basis T, the columns of t made
# orthonormal: R^T T = U diag(s) W^T, V = Q T W.
def forward(self: __torch__.Kernel,
    x: Tensor,
    t: Tensor) -> List[Tensor]:
  q, r = torch.linalg_qr(torch.transpose(torch.to(x, 7), 0, 1), "${mode}")
  b, _0 = torch.linalg_qr(t, "reduced")
  u, s, wt = torch.linalg_svd(torch.matmul(torch.transpose(r, 0, 1), b), ${square})
  return [u, s, torch.matmul(torch.matmul(wt, torch.transpose(b, 0, 1)), torch.transpose(q, 0, 1))]
