"""Prints float32 powers of PyTorch, and the frequencies that are sensitive to their last bit.

Usage: python rope_powers.py > ../goldens/rope/powers.json

"powers": base ** (0, 2, .. d-2)/d, where a power rounded from double precision differs from
PyTorch's somewhere. "cases": random Llama 3 scalings in which such a difference grows to 3 units of
the last place or more, in the form of random.json. Both depend on the processor: an x86-64 one with
AVX-512 and fused multiply-add is needed, and glibc 2.28 or later.
"""

import sys

import numpy
import rope_frequencies
import torch
import transformers
from rope_frequencies import Decimals, number, one, text

SEED = 20261122
BY_VECTORS, LEFT_OVER = 40, 20
SENSITIVE = 24


def powers(left_over):
    """One base and dimension, or None where double precision gives the same.

    The last elements are left over when 32 at a time have been raised, and go another way.
    """
    base = float(numpy.float32(number(1.01, 1e10)))
    d = 2 * rope_frequencies.draw.randint(1, 130)
    exponents = torch.arange(0, d, 2, dtype=torch.int64).to(torch.float) / d
    values = (base**exponents).numpy()
    rounded = numpy.power(base, exponents.numpy().astype(numpy.float64)).astype(numpy.float32)
    different = values != rounded
    first = d // 2 // 32 * 32
    if not (different[first:] if left_over else different[:first]).any():
        return None
    return {"base": base, "dimension": d, "powers": [Decimals(x) for x in values]}


def with_rounded_powers(case):
    """Hugging Face's arithmetic of a Llama 3 scaling with powers rounded from double precision."""
    p = case["normalized_rope_parameters"]
    f = numpy.float32
    d = case["rotary_dim"]
    exponents = (numpy.arange(0, d, 2).astype(f) / f(d)).astype(numpy.float64)
    theta = f(1) / numpy.power(float(f(p["rope_theta"])), exponents).astype(f)
    s, low, high = p["factor"], p["low_freq_factor"], p["high_freq_factor"]
    original = p["original_max_position_embeddings"]
    wavelength = f(1) / theta * f(2 * numpy.pi)
    slow = wavelength > f(original / low)
    scaled = numpy.where(slow, theta / f(s), theta)
    if high == low:
        return scaled
    smooth = (f(1) / wavelength * f(original) - f(low)) / f(high - low)
    between = (f(1) - smooth) * scaled / f(s) + smooth * scaled
    fast = wavelength < f(original / high)
    return numpy.where(slow | fast, scaled, between)


def sensitive():
    """One configuration, or None where rounded powers give nearly the same."""
    case = one("llama3")
    values = numpy.array(case["inv_freq"], dtype=numpy.float32)
    rounded = with_rounded_powers(case).astype(numpy.float32)
    apart = numpy.abs(values.view(numpy.int32) - rounded.view(numpy.int32))
    return case if apart.max() >= 3 else None


def collected(make, count):
    kept, tried = [], 0
    while len(kept) < count:
        case = make()
        tried += 1
        if case:
            kept.append(case)
    print(f"{count} of {tried}", file=sys.stderr)
    return kept


if "AVX512" not in torch.backends.cpu.get_cpu_capability():
    sys.exit("needs a processor with AVX-512")
rope_frequencies.draw.seed(SEED)
print("{")
print(f'"source":"transformers {transformers.__version__}, torch {torch.__version__} '
      f'({torch.backends.cpu.get_cpu_capability()}), numpy {numpy.__version__}",')
print(f'"script":"test-data/scripts/rope_powers.py","seed":{SEED},')
print('"powers":[')
bases = collected(lambda: powers(False), BY_VECTORS) + collected(lambda: powers(True), LEFT_OVER)
print(",\n".join(text(c) for c in bases))
print('],"cases":[')
print(",\n".join(text(c) for c in collected(sensitive, SENSITIVE)))
print("]}")
