"""Structural similarity by scikit-image, read by FidelityTest.
Usage: python ssim.py > ../goldens/signal/ssim.json"""

import json

import numpy as np
import skimage
from skimage.metrics import structural_similarity as ssim

rng = np.random.default_rng(5)


def case(name, *sides, channels):
    """A smooth signal of some texture and a blurred, noisy copy, rounded to float32."""
    grid = np.meshgrid(*(np.arange(n) / n for n in sides), indexing="ij")
    phase = rng.uniform(0, 6, channels)
    waves = np.stack([0.5 + 0.3 * np.sin(9 * sum((m + 1) * g for m, g in enumerate(grid)) + p)
                      for p in phase], -1)
    truth = (waves + 0.1 * rng.standard_normal(waves.shape)).astype("f4")
    other = (0.9 * waves + 0.05 + 0.07 * rng.standard_normal(waves.shape)).astype("f4")
    x, y = truth.astype("f8"), other.astype("f8")
    kind = dict(data_range=1.0, channel_axis=-1)
    return {
        "name": name, "sides": list(sides), "channels": channels,
        "truth": truth.ravel().tolist(), "predicted": other.ravel().tolist(),
        "uniform": ssim(x, y, **kind),
        "gaussian": ssim(x, y, gaussian_weights=True, sigma=1.5, **kind),
        "mse": float(np.mean((x - y) ** 2)),
    }


print(json.dumps({
    "reference": f"skimage.metrics.structural_similarity {skimage.__version__}, float64, "
                 "data_range 1, channel_axis -1; uniform: 7 a side; gaussian: "
                 "gaussian_weights, sigma 1.5; test-data/scripts/ssim.py",
    "cases": [
        case("grey", 17, 23, channels=1),
        case("colour", 16, 13, channels=3),
        case("smallest", 11, 11, channels=2),
        case("volume", 12, 11, 13, channels=1),
        case("sound", 60, channels=2),
    ]}))
