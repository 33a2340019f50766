"""Lets Hugging Face's peft make adapters for posenc to read, and read what posenc made.

    python test-data/scripts/lora.py goldens
    python test-data/scripts/lora.py write DIR
    python test-data/scripts/lora.py check DIR

`goldens` writes test-data/goldens/adapters: adapters of the folders in goldens/checkpoints with random
numbers, the logits with them, and for one of them 50 steps of AdamW in double precision. `write` makes
DIR/CASE/base and DIR/CASE/peft for each kind of module of each family, with the logits in
expected.safetensors. `check` loads every DIR/CASE/ours, posenc's adapter of the same base, and fails
where logits are more than 2e-4 from those in its ours.safetensors. AdapterFolderTest reads the
goldens; PeftTest runs the others where POSENC_PYTHON names a Python with peft, transformers,
safetensors and PyTorch. Made with peft 0.21, transformers 5.18 and torch 2.13.
"""

import json
import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import peft
import torch
import transformers
from safetensors.torch import load_file, save_file

import folders

TOLERANCE = 2e-4
GOLDENS = Path(__file__).parent.parent / "goldens"
STEPS = 50

LLAMA = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
NEOX = ["query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"]
ADAPTED = {
    "llama_gqa8_2": dict(r=2, lora_alpha=6, target_modules=["q_proj", "v_proj", "down_proj"]),
    "qwen3": dict(r=4, lora_alpha=4, use_rslora=True, target_modules=LLAMA),
    "phi3_longrope": dict(r=3, lora_alpha=5, target_modules=["qkv_proj", "gate_up_proj", "o_proj"]),
    "gpt_neox_partial025": dict(r=2, lora_alpha=2, target_modules=NEOX),
}
FRESH = {
    "llama": dict(r=2, lora_alpha=8, lora_dropout=0.1, target_modules="all-linear"),
    "llama biases": dict(r=3, lora_alpha=8, use_rslora=True, target_modules=["k_proj", "o_proj", "lm_head"]),
    "llama tied": dict(r=1, lora_alpha=1, target_modules=r".*\.(q|v)_proj"),
    "mistral": dict(r=2, lora_alpha=8, target_modules=LLAMA),
    "qwen2": dict(r=2, lora_alpha=8, target_modules=["q_proj", "k_proj"]),
    "qwen3": dict(r=2, lora_alpha=8, target_modules=LLAMA),
    "phi3": dict(r=2, lora_alpha=8, target_modules="all-linear"),
    "gpt_neox": dict(r=2, lora_alpha=8, target_modules="all-linear"),
    "gpt_neox sequential": dict(r=2, lora_alpha=8, target_modules=["query_key_value"]),
    "smollm3": dict(r=2, lora_alpha=8, target_modules=LLAMA),
}  # fmt: skip


def adapted(base, options, size=0.3):
    model = transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, attn_implementation="eager")
    model = peft.get_peft_model(model, peft.LoraConfig(task_type="CAUSAL_LM", **options))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.copy_(size * torch.randn(parameter.shape))
    return model.eval()


def logits(model, ids):
    with torch.no_grad():
        return model(ids).logits


def goldens():
    torch.manual_seed(11)
    torch.set_num_threads(1)
    expected = {
        "reference": f"peft {peft.__version__}, transformers {transformers.__version__}, torch "
        f"{torch.__version__}, float32 (training: float64); test-data/scripts/lora.py",
        "cases": [],
    }
    for name, options in ADAPTED.items():
        base = GOLDENS / "checkpoints" / name
        folder = GOLDENS / "adapters" / name
        model = adapted(base, options)
        model.peft_config["default"].base_model_name_or_path = name
        model.save_pretrained(folder)
        (folder / "README.md").unlink()
        ids = torch.randint(model.config.vocab_size, (2, 9))
        case = {"name": name, "ids": ids.tolist(), "logits": logits(model, ids).tolist()}
        if name == "llama_gqa8_2":
            case["training"] = training(base, folder, ids)
        expected["cases"].append(case)
    (GOLDENS / "adapters" / "expected.json").write_text(json.dumps(expected))


def training(base, folder, ids):
    """Next-token loss of the same rows, all in double precision; A decays, B does not."""
    model = transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.float64, attn_implementation="sdpa")
    model = peft.PeftModel.from_pretrained(model, folder, is_trainable=True).to(torch.float64)
    config = model.config
    # transformers narrows norms and angles to float32, whatever the model is in.
    transformers.models.llama.modeling_llama.LlamaRMSNorm.forward = (
        lambda self, x: torch.nn.functional.rms_norm(x, x.shape[-1:], self.weight, self.variance_epsilon))
    powers = torch.arange(0, config.head_dim, 2, dtype=torch.float64) / config.head_dim
    angles = torch.arange(ids.shape[1] - 1)[:, None] * config.rope_parameters["rope_theta"] ** -powers
    angles = torch.cat((angles, angles), -1)[None]
    model.get_base_model().model.rotary_emb.forward = lambda *a, **k: (angles.cos(), angles.sin())
    named = dict(model.named_parameters())
    a = [p for n, p in named.items() if "lora_A" in n]
    b = [p for n, p in named.items() if "lora_B" in n]
    optimizer = torch.optim.AdamW(
        [{"params": a, "weight_decay": 0.1}, {"params": b, "weight_decay": 0.0}], lr=0.01, betas=(0.9, 0.95))  # fmt: skip
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        rows = model(ids[:, :-1]).logits.flatten(0, 1)
        loss = torch.nn.functional.cross_entropy(rows, ids[:, 1:].flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(a + b, 1.0)
        optimizer.step()
        losses.append(float(loss.detach()))
    prefix = "base_model.model.model.layers.1."
    kept = {n: p.tolist() for n, p in named.items() if n.startswith(prefix) and "lora_" in n}
    return {"rate": 0.01, "betas": [0.9, 0.95], "decay of A": 0.1, "clip": 1.0, "losses": losses, "after": kept}


def write(directory):
    folders.CASES = {name: folders.CASES[name] for name in FRESH}
    folders.write(directory / "bases")
    torch.manual_seed(7)
    for name, options in FRESH.items():
        base = directory / "bases" / name
        model = adapted(base, options, size=0.15)
        model.save_pretrained(directory / name / "peft")
        ids = torch.randint(model.config.vocab_size, (2, 20))
        save_file({"ids": ids, "logits": logits(model, ids)}, directory / name / "expected.safetensors")


def check(directory):
    failed = False
    for file in sorted(directory.rglob("ours.safetensors")):
        ours = load_file(file)
        base = directory / "bases" / file.parent.parent.name
        model = transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, attn_implementation="eager")
        plain = logits(model, ours["ids"])
        model = peft.PeftModel.from_pretrained(model, file.parent)
        found = logits(model, ours["ids"])
        difference = (found - ours["logits"]).abs().max().item()
        effect = (found - plain).abs().max().item()
        wrong = not difference <= TOLERANCE or effect < 0.01
        failed = failed or wrong
        print(f"{file.parent.relative_to(directory)}: {difference:.1e} of {effect:.1f}", "WRONG" if wrong else "")
    sys.exit(failed)


if __name__ == "__main__":
    if sys.argv[1] == "goldens":
        goldens()
    else:
        {"write": write, "check": check}[sys.argv[1]](Path(sys.argv[2]))
