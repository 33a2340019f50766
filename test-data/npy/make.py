"""Writes the .npy files beside it with NumPy: python test-data/npy/make.py"""

import pathlib

import numpy as np

here = pathlib.Path(__file__).parent
np.save(here / "float32_2x3.npy", (np.arange(6, dtype="<f4") / 3).reshape(2, 3))
np.save(here / "float64_3.npy", np.array([-1.5, np.pi, np.inf]))
np.save(here / "float64_scalar.npy", np.float64(2.5))
np.save(here / "float64_0x4.npy", np.zeros((0, 4)))
np.save(here / "float32_12x5x7x2.npy", np.sin(np.arange(840, dtype="<f4")).reshape(12, 5, 7, 2))
np.save(here / "int64_4.npy", np.array([0, -7, 2**40, 3]))
np.save(here / "fortran.npy", np.asfortranarray(np.ones((2, 3))))
np.save(here / "complex.npy", np.ones(2, dtype="c8"))
