"""Reference runs of torch.optim, read by AdamWTest. Usage: python adam.py > ../goldens/training/adam.json"""

import json

import torch

torch.manual_seed(0)
torch.set_num_threads(1)
STEPS = 50


def run(optimizer, clip=None):
    """Minimises sum((x w + b - y)^2) / N over a matrix and a bias, float32."""
    w = torch.nn.Parameter(W.clone())
    b = torch.nn.Parameter(B.clone())
    o = optimizer(w, b)
    losses, norms = [], []
    for t in range(STEPS):
        for group in o.param_groups:
            group["lr"] = 0.02 * (t + 1) / STEPS
        o.zero_grad()
        loss = ((X @ w + b - Y) ** 2).mean()
        loss.backward()
        if clip:
            norms.append(float(torch.nn.utils.clip_grad_norm_([w, b], clip)))
        o.step()
        losses.append(float(loss.detach()))
    return {"weight": w.tolist(), "bias": b.tolist(), "losses": losses, "norms": norms}


X, Y = torch.randn(6, 4), torch.randn(6, 3)
W, B = torch.randn(4, 3), torch.randn(3)
adamw = lambda w, b: torch.optim.AdamW(
    [{"params": [w], "weight_decay": 0.1}, {"params": [b], "weight_decay": 0.0}],
    betas=(0.9, 0.95), eps=1e-3, foreach=False, fused=False)
adam = lambda w, b: torch.optim.Adam(
    [w, b], weight_decay=0.1, eps=1e-8, foreach=False, fused=False)
print(json.dumps({
    "reference": f"torch.optim {torch.__version__}, float32, one thread; test-data/scripts/adam.py",
    "x": X.tolist(), "y": Y.tolist(), "weight": W.tolist(), "bias": B.tolist(),
    "rate": "0.02 (t + 1)/50 at step t = 0 ... 49",
    "adamw": run(adamw), "adam": run(adam), "clipped": run(adamw, clip=0.3),
}, indent=1))
