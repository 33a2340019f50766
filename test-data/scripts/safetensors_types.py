"""Writes test-data/safetensors/types.safetensors: every type that posenc reads, by the reference library.

    python test-data/scripts/safetensors_types.py

Made with safetensors 0.8.0 and PyTorch 2.13. The values are those that SafetensorsTest names.
"""

import torch
from safetensors.torch import save_file

FLOATS = [0.0, -0.0, 1.0, -1.5, 0.1, 3.0e38, 1.0e-40, float("inf"), float("-inf"), float("nan")]

save_file(
    {
        "bool": torch.tensor([True, False, True]),
        "u8": torch.tensor([0, 1, 255], dtype=torch.uint8),
        "i8": torch.tensor([-128, 0, 127], dtype=torch.int8),
        "u16": torch.tensor([0, 1, 65535], dtype=torch.uint16),
        "i16": torch.tensor([-32768, 0, 32767], dtype=torch.int16),
        "u32": torch.tensor([0, 1, 4294967295], dtype=torch.uint32),
        "i32": torch.tensor([-2147483648, 0, 2147483647], dtype=torch.int32),
        "u64": torch.tensor([0, 1, 9223372036854775807], dtype=torch.uint64),
        "i64": torch.tensor([-9223372036854775808, 0, 9223372036854775807]),
        "f16": torch.tensor(FLOATS, dtype=torch.float64).half(),
        "bf16": torch.tensor(FLOATS, dtype=torch.float64).bfloat16(),
        "f32": torch.tensor(FLOATS, dtype=torch.float64).float(),
        "f64": torch.tensor(FLOATS, dtype=torch.float64),
        "matrix": torch.arange(6, dtype=torch.float32).reshape(2, 3),
        "scalar": torch.tensor(7.25),
        "empty": torch.zeros(0, 4),
        "largest u64": torch.tensor([18446744073709551615], dtype=torch.uint64),
    },
    "test-data/safetensors/types.safetensors",
    metadata={"format": "pt", "note": "ä \" \\ "},
)
