"""Trains tiny coordinate networks of each activation in PyTorch, float64, and prints their losses.

Usage: python coordinate_networks.py > ../goldens/training/coordinate_networks.json

WIRE is computed with PyTorch's complex numbers. Weights are (outputs, inputs), complex ones [real
part, imaginary part]; a network is sin/exp/... of one map after the other, then a map to the
outputs, whose real part counts. Training is gradient descent on the mean squared error.
"""

import json

import torch

SEED, DEPTH, WIDTH, POINTS, STEPS = 20261123, 3, 6, 10, 8
CASES = [
    {"activation": "relu", "rate": 0.1},
    {"activation": "sine", "first_omega": 5.0, "omega": 2.0, "rate": 0.005},
    {"activation": "gaussian", "sigma": 0.4, "rate": 0.05},
    {"activation": "finer", "first_omega": 1.5, "omega": 1.0, "rate": 0.005},
    {"activation": "wire", "first_omega": 3.0, "omega": 2.0, "scale": 0.8, "rate": 0.002},
]


def activate(c, u, layer):
    omega = c.get("first_omega" if layer == 0 else "omega")
    if c["activation"] == "relu":
        return torch.relu(u)
    if c["activation"] == "sine":
        return torch.sin(omega * u)
    if c["activation"] == "gaussian":
        return torch.exp(-(u**2) / (2 * c["sigma"] ** 2))
    if c["activation"] == "finer":
        return torch.sin(omega * (u.abs() + 1) * u)
    return torch.exp(1j * omega * u - (c["scale"] * u).abs().square())


def numbers(shape, is_complex):
    parts = [(torch.randn(shape) / shape[-1] ** 0.5).round(decimals=3) for _ in range(1 + is_complex)]
    return torch.complex(*parts) if is_complex else parts[0]


def plain(x):
    return [x.real.tolist(), x.imag.tolist()] if x.is_complex() else x.tolist()


def case(c):
    torch.manual_seed(SEED)
    x = torch.rand(POINTS, 2).round(decimals=3)
    target = torch.rand(POINTS, 2).round(decimals=3)
    sides = [2] + [WIDTH] * DEPTH + [2]
    parameters = []
    for i in range(DEPTH + 1):
        is_complex = c["activation"] == "wire" and i > 0
        parameters.append(numbers((sides[i + 1], sides[i]), is_complex))
        parameters.append(numbers((sides[i + 1],), is_complex))
    initial = [plain(p) for p in parameters]
    for p in parameters:
        p.requires_grad_()
    losses = []
    for _ in range(STEPS):
        h = x
        for i in range(DEPTH + 1):
            w, b = parameters[2 * i : 2 * i + 2]
            u = h.to(w.dtype) @ w.T + b
            h = activate(c, u, i) if i < DEPTH else u.real
        loss = ((h - target) ** 2).mean()
        losses.append(loss.item())
        loss.backward()
        with torch.no_grad():
            for p in parameters:
                p -= c["rate"] * p.grad
                p.grad = None
    return {"params": c, "x": x.tolist(), "target": target.tolist(), "parameters": initial, "losses": losses}


torch.set_default_dtype(torch.float64)
print("{")
print(f'"source":"torch {torch.__version__}, float64",')
print(f'"script":"test-data/scripts/coordinate_networks.py","seed":{SEED},')
print('"cases":[')
print(",\n".join(json.dumps(case(c)) for c in CASES))
print("]}")
