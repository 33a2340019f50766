"""The computations of src/jmh/java in PyTorch, timed on this machine.

    python src/jmh/python/pytorch.py [NAME ...] [--seconds 8]

NAME is one of the functions at the end; without one, all are run. Prints one JSON object that maps
each name to the median time in milliseconds.
"""

import argparse
import json
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn


def rotation(length, head):
    frequencies = 10_000.0 ** (-torch.arange(0, head, 2, dtype=torch.float64) / head)
    angles = torch.arange(length, dtype=torch.float64)[:, None] * frequencies
    return torch.polar(torch.ones_like(angles), angles).to(torch.complex64)  # (T, D/2)


def rotate(x, table):
    pairs = torch.view_as_complex(x.unflatten(-1, (-1, 2)))
    return torch.view_as_real(pairs * table).flatten(-2)


def rotate_half(x, cos, sin):
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat([-b, a], -1) * sin


class Layer(nn.Module):
    def __init__(self, size, heads):
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(size)
        self.query = nn.Linear(size, size, bias=False)
        self.key = nn.Linear(size, size, bias=False)
        self.value = nn.Linear(size, size, bias=False)
        self.output = nn.Linear(size, size, bias=False)
        self.feed_forward_norm = nn.LayerNorm(size)
        self.up = nn.Linear(size, 4 * size, bias=False)
        self.down = nn.Linear(4 * size, size, bias=False)

    def forward(self, x, table):
        h = self.attention_norm(x)
        q, k, v = (
            p(h).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for p in (self.query, self.key, self.value)
        )
        y = F.scaled_dot_product_attention(rotate(q, table), rotate(k, table), v, is_causal=True)
        x = x + self.output(y.transpose(1, 2).flatten(-2))
        return x + self.down(F.gelu(self.up(self.feed_forward_norm(x))))


class Decoder(nn.Module):
    def __init__(self, vocabulary, size, layers, heads):
        super().__init__()
        self.heads = heads
        self.tokens = nn.Embedding(vocabulary, size)
        nn.init.normal_(self.tokens.weight, std=0.02)
        self.layers = nn.ModuleList(Layer(size, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(size)

    def forward(self, ids):
        x = self.tokens(ids)
        table = rotation(ids.shape[1], x.shape[-1] // self.heads)
        for layer in self.layers:
            x = layer(x, table)
        return self.norm(x) @ self.tokens.weight.T


def training_step():
    model = Decoder(1024, 256, 4, 4)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.01, fused=True)
    text = torch.randint(1024, (100_000,))

    def step():
        starts = torch.randint(len(text) - 257, (8,)).tolist()
        rows = torch.stack([text[s : s + 257] for s in starts])
        logits = model(rows[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)

    return step


def coordinate_step():
    frequencies = torch.randn(2, 128) * 10
    layers = []
    for _ in range(4):
        layers += [nn.Linear(256, 256), nn.ReLU()]
    network = nn.Sequential(*layers, nn.Linear(256, 3), nn.Sigmoid())
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4, weight_decay=0.01, fused=True)
    points = torch.rand(65_536, 2)
    colours = torch.rand(65_536, 3)

    def step():
        angles = 2 * torch.pi * points @ frequencies
        features = torch.cat([angles.sin(), angles.cos()], -1)
        loss = ((network(features) - colours) ** 2).mean() / 2
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)

    return step


def gaussians(side=256, count=256, sigma=0.004):
    x, t = torch.arange(side) / side, torch.arange(count) / count
    rows = torch.exp(-((x[:, None] - t) ** 2) / (2 * sigma**2))
    # Far tails would make denormal numbers, on which a CPU takes many times as long.
    return rows.where(rows > 1e-20, 0) / rows.norm(dim=1).max()  # (N, K)


def grid_step(output, parameters):
    optimizer = torch.optim.Adam(parameters, lr=1e-3, weight_decay=1e-8, fused=True)
    image = torch.rand(256, 256, 3)

    def step():
        loss = ((output() - image) ** 2).mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)

    return step


def complex_weights(units):
    return nn.Parameter((torch.rand(units, 256, 256) * 2 - 1) / units**0.5)


def grid_step_complex_linear():
    a, w = gaussians(), complex_weights(3)
    return grid_step(lambda: (a @ w @ a.T).permute(1, 2, 0), [w])


def grid_step_complex_deep():
    a, w, last = gaussians(), complex_weights(256), nn.Linear(256, 3)
    return grid_step(
        lambda: last(torch.relu(a @ w @ a.T).permute(1, 2, 0)), [w, *last.parameters()]
    )


def grid_step_simple_deep():
    a = gaussians()
    rows, columns = torch.meshgrid(torch.arange(256), torch.arange(256), indexing="ij")
    features = torch.cat([a[rows], a[columns]], -1)  # (N, N, 2 K)
    layers = [nn.Linear(512, 256), nn.ReLU()]
    for _ in range(3):
        layers += [nn.Linear(256, 256), nn.ReLU()]
    network = nn.Sequential(*layers, nn.Linear(256, 3))
    return grid_step(lambda: network(features), network.parameters())


def spectrum():
    x = torch.randn(4096, 1024)
    return lambda: torch.linalg.svdvals(x)


def closed_form(axes, count):
    """From coordinates to all samples: fitted to every second one along each axis."""
    samples = torch.rand((3,) + (count,) * axes, dtype=torch.float64)
    positions = torch.arange(2 * count, dtype=torch.float64) / (2 * count)
    centres = torch.arange(count, dtype=torch.float64) / count

    def step():
        features = torch.exp(-((positions[:, None] - centres) ** 2) / (2 * (0.64 / count) ** 2))
        inverse = torch.linalg.pinv(features[::2], rtol=1e-3)
        values = samples
        for matrix in (inverse, features):
            for _ in range(axes):  # the last axis becomes the first one of space
                shape = values.shape
                rows = matrix @ values.reshape(3, -1, shape[-1]).mT
                values = rows.reshape(3, len(matrix), *shape[1:-1])
        return values

    return step


def attention_core(length):
    q, k, v = (torch.randn(1, 12, length, 64, requires_grad=True) for _ in range(3))
    return lambda: F.scaled_dot_product_attention(q, k, v, is_causal=True).sum().backward()


def rotary_input():
    return torch.randn(8, 12, 1024, 64), rotation(1024, 64)


def rotary_copy():
    x, _ = rotary_input()
    return lambda: x.clone()


def rotary_interleaved():
    x, table = rotary_input()
    return lambda: rotate(x, table)


def rotary_half_split():
    x, table = rotary_input()
    cos, sin = (torch.cat([t, t], -1) for t in (table.real, table.imag))
    return lambda: rotate_half(x, cos, sin)


BENCHMARKS = {
    "training_step": training_step,
    "coordinate_step": coordinate_step,
    "grid_step_complex_linear": grid_step_complex_linear,
    "grid_step_complex_deep": grid_step_complex_deep,
    "grid_step_simple_deep": grid_step_simple_deep,
    "spectrum": spectrum,
    "closed_form_image": lambda: closed_form(2, 256),
    "closed_form_volume": lambda: closed_form(3, 64),
    "attention_core_256": lambda: attention_core(256),
    "attention_core_1024": lambda: attention_core(1024),
    "attention_core_4096": lambda: attention_core(4096),
    "rotary_copy": rotary_copy,
    "rotary_interleaved": rotary_interleaved,
    "rotary_half_split": rotary_half_split,
}


def median_milliseconds(step, seconds):
    """Runs a third of the time to warm up, then measures each call."""
    times = []
    begin = time.perf_counter()
    while time.perf_counter() - begin < seconds or not times:
        before = time.perf_counter()
        step()
        after = time.perf_counter()
        if after - begin > seconds / 3:
            times.append(1000 * (after - before))
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--seconds", type=float, default=8)
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"unknown benchmark {unknown[0]}; there are {', '.join(BENCHMARKS)}")
    torch.manual_seed(1)
    names = arguments.names or list(BENCHMARKS)
    print(
        json.dumps(
            {
                "torch": torch.__version__,
                "threads": torch.get_num_threads(),
                "median_ms": {
                    name: median_milliseconds(BENCHMARKS[name](), arguments.seconds)
                    for name in names
                },
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
