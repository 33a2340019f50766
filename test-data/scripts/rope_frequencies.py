"""Draws random RoPE configurations and prints the frequencies transformers computes for them.

Usage: python rope_frequencies.py > ../goldens/rope/random.json

Needs torch and transformers. Numbers of inv_freq are the shortest decimals that give the float32.
"""

import json
import math
import random
import sys

import numpy
import torch
import transformers
from transformers import LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

transformers.logging.set_verbosity_error()
SEED = 20261121
PER_TYPE = 50
TYPES = ["default", "linear", "dynamic", "yarn", "longrope", "llama3", "proportional"]
draw = random.Random(SEED)


def number(low, high):
    """Log-uniform with four digits, so that it is short in JSON."""
    return float(f"{math.exp(draw.uniform(math.log(low), math.log(high))):.4g}")


def one(kind):
    head = 2 * draw.randint(2, 64)
    rotary = head
    parameters = {"rope_type": kind, "rope_theta": number(1e2, 1e8)}
    original = draw.randint(16, 40000)
    longest = original * draw.randint(1, 32)
    seq_len, seq_kind = None, None
    if kind == "proportional":
        parameters["partial_rotary_factor"] = draw.choice([0.25, 0.3, 0.5, 0.75, 0.9, 1.0])
        if int(parameters["partial_rotary_factor"] * head // 2) == 0:
            parameters["partial_rotary_factor"] = 1.0
    elif kind != "default" and draw.random() < 0.5:
        part = draw.choice([0.25, 0.4, 0.5, 0.7, 0.75])
        if int(head * part) >= 4 and int(head * part) % 2 == 0:
            parameters["partial_rotary_factor"] = part
            rotary = int(head * part)
    if kind in ("linear", "dynamic", "yarn", "llama3", "proportional"):
        parameters["factor"] = number(1, 64)
    if kind == "dynamic":
        seq_len = draw.choice([longest - 1, longest, longest + 1, int(longest * number(1, 20))])
        seq_kind = draw.choice(["int", "tensor"])
    if kind in ("yarn", "longrope", "llama3"):
        parameters["original_max_position_embeddings"] = original
    if kind == "yarn":
        if draw.random() < 0.5:
            slow = number(0.25, 8)
            parameters["beta_slow"] = slow
            parameters["beta_fast"] = float(f"{slow * number(1, 64):.4g}")
        parameters["truncate"] = draw.random() < 0.5
        choice = draw.randint(0, 4)
        if choice == 0:
            parameters["attention_factor"] = number(0.5, 2)
        if choice in (1, 2):
            parameters["mscale"] = draw.choice([0.0, 0.707, 1.0, number(0.1, 2)])
        if choice in (1, 3):
            parameters["mscale_all_dim"] = draw.choice([0.0, 0.707, 1.0, number(0.1, 2)])
    if kind == "longrope":
        parameters["short_factor"] = [round(draw.uniform(0.9, 3), 3) for _ in range(rotary // 2)]
        parameters["long_factor"] = [round(draw.uniform(1, 64), 3) for _ in range(rotary // 2)]
        parameters["factor"] = number(0.5, 64)
        if draw.random() < 0.3:
            parameters["attention_factor"] = number(0.5, 2)
        seq_len, seq_kind = draw.choice([original - 1, original, original + 1]), "int"
    if kind == "llama3":
        low = number(0.25, 8)
        parameters["low_freq_factor"] = low
        parameters["high_freq_factor"] = low if draw.random() < 0.1 else low + number(0.5, 16)
    config = LlamaConfig(
        head_dim=head,
        hidden_size=2 * head,
        num_attention_heads=2,
        max_position_embeddings=longest,
        rope_parameters=dict(parameters),
    )
    if kind == "default":
        frequencies, scaling = LlamaRotaryEmbedding.compute_default_rope_parameters(config)
    else:
        length = torch.tensor(seq_len) if seq_kind == "tensor" else seq_len
        frequencies, scaling = ROPE_INIT_FUNCTIONS[kind](config, seq_len=length)
    if kind == "dynamic" and seq_len <= longest:
        # A model's forward pass calls the function beyond the trained length only.
        frequencies, _ = ROPE_INIT_FUNCTIONS[kind](config)
    assert len(frequencies) == rotary // 2 and torch.isfinite(frequencies).all()
    return {
        "rope_type": kind,
        "config": {"head_dim": head, "max_position_embeddings": longest},
        "normalized_rope_parameters": parameters,
        "seq_len": seq_len,
        "seq_len_kind": seq_kind,
        "rotary_dim": rotary,
        "attention_scaling": float(scaling),
        "inv_freq": [Decimals(x) for x in frequencies.numpy()],
    }


class Decimals(float):
    """A float32 that prints as its shortest decimal."""

    def __new__(cls, value):
        new = super().__new__(cls, str(value))
        new.text = str(value)
        return new

    def __repr__(self):
        return self.text


def text(value):
    """JSON, with numbers of Decimals as they print."""
    if isinstance(value, Decimals):
        return value.text
    if isinstance(value, dict):
        return "{" + ",".join(json.dumps(k) + ":" + text(v) for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(text(v) for v in value) + "]"
    return json.dumps(value)


def main():
    print("{")
    print(f'"source":"transformers {transformers.__version__}, torch {torch.__version__}, '
          f'numpy {numpy.__version__}",')
    print(f'"script":"test-data/scripts/rope_frequencies.py","seed":{SEED},')
    print('"cases":[')
    cases = [one(kind) for _ in range(PER_TYPE) for kind in TYPES]
    print(",\n".join(text(c) for c in cases))
    print("]}")
    print(len(cases), "cases", file=sys.stderr)


if __name__ == "__main__":
    main()
