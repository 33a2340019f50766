"""Logits, losses and gradients under torch.autocast, read by PrecisionTest.

    python autocast.py > ../goldens/training/autocast.json

The model is goldens/checkpoints/llama_gqa8_2, float32 weights. Made with torch 2.13 and transformers 5.18.
"""

import json
import os
from contextlib import nullcontext
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers

torch.manual_seed(4)
torch.set_num_threads(1)
FOLDER = Path(__file__).parent.parent / "goldens" / "checkpoints" / "llama_gqa8_2"
SCALE = 1024.0  # of the loss in float16, taken back from the gradients
KEPT = "model.layers.0.self_attn.k_proj.weight"

ids = torch.randint(64, (2, 13))
cases = {}
for name, dtype in {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}.items():
    model = transformers.AutoModelForCausalLM.from_pretrained(FOLDER, dtype=torch.float32, attn_implementation="sdpa")
    with torch.autocast("cpu", dtype) if dtype else nullcontext():
        logits = model(ids[:, :-1]).logits
    loss = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), ids[:, 1:].flatten())
    scale = SCALE if name == "float16" else 1.0
    (loss * scale).backward()
    gradients = {n: p.grad / scale for n, p in model.named_parameters()}
    cases[name] = {
        "loss": float(loss),
        "logits": logits.float().tolist(),
        "gradient": gradients[KEPT].tolist(),
        "norm": float(torch.stack([g.norm() for g in gradients.values()]).norm()),
    }
print(json.dumps({
    "reference": f"torch {torch.__version__}, transformers {transformers.__version__}, CPU, one thread; "
    "test-data/scripts/autocast.py",
    "model": "checkpoints/llama_gqa8_2", "gradient of": KEPT, "ids": ids.tolist(), "cases": cases,
}))  # fmt: skip
