"""Tiny folders whose attention sees a sliding window, with the logits, losses and gradients of Hugging
Face's own code.

Usage: python test-data/scripts/windows.py
Writes test-data/goldens/checkpoints/mistral_window (5 tokens in every layer) and qwen2_window (6
tokens in the first and the last of three layers), in the form of the folders beside them. Made with
transformers 5.18 and torch 2.13, eager attention, on the CPU.
"""

import json
import pathlib

import numpy as np
import torch
import transformers
from transformers import DynamicCache

torch.set_num_threads(1)

HERE = pathlib.Path(__file__).parent.parent / "goldens" / "checkpoints"
SIZES = dict(
    vocab_size=64,
    hidden_size=32,
    intermediate_size=48,
    num_attention_heads=2,
    num_key_value_heads=1,
    max_position_embeddings=64,
    bos_token_id=1,
    eos_token_id=2,
    rms_norm_eps=1e-5,
    attn_implementation="eager",
)
CASES = {
    "mistral_window": ("Mistral", dict(SIZES, num_hidden_layers=2, sliding_window=5), 31),
    "qwen2_window": (
        "Qwen2",
        dict(
            SIZES,
            num_hidden_layers=3,
            use_sliding_window=True,
            sliding_window=6,
            layer_types=["sliding_attention", "full_attention", "sliding_attention"],
        ),
        32,
    ),
}  # fmt: skip
LENGTH, PROMPT, DECODED = 40, 10, 28
PADDING = [[0] * 9 + [1] * 23, [1] * 32]
PACKED = [[*range(14), *range(18)], [*range(3), *range(11), *range(18)]]


def run(folder, model, name, ids, **inputs):
    logits = model(input_ids=ids, use_cache=False, **inputs).logits
    return save(folder, name, logits) | {
        "seq_len": ids.shape[1],
        "batch": ids.shape[0],
        "input": f"input_ids[:, :{ids.shape[1]}]",
    } | {key: value.tolist() for key, value in inputs.items()}


def save(folder, name, logits):
    file = f"logits_{name}.npy"
    np.save(folder / file, logits.detach().numpy())
    return {"name": name, "logits": {"file": file, "shape": list(logits.shape)}}


def decode(model, ids):
    cache = DynamicCache(config=model.config)
    logits = [model(input_ids=ids[:, :PROMPT], past_key_values=cache, use_cache=True).logits]
    for i in range(PROMPT, DECODED):
        step = model(input_ids=ids[:, i : i + 1], past_key_values=cache, use_cache=True)
        logits.append(step.logits)
    return torch.cat(logits, 1)


def training(folder, model, ids):
    model.zero_grad()
    loss = model(input_ids=ids, labels=ids, use_cache=False).loss
    loss.backward()
    norms = {name: p.grad.norm().item() for name, p in model.named_parameters()}
    told = {
        "loss": loss.item(),
        "grad_l2_norm": norms,
        "total_grad_norm": float(np.sqrt(sum(n * n for n in norms.values()))),
    }
    if ids.shape[1] == LENGTH:
        name = "model.layers.0.self_attn.k_proj.weight"
        file = f"grad_beyond40_{name}.npy"
        gradient = dict(model.named_parameters())[name].grad
        np.save(folder / file, gradient.numpy())
        told["full_grads"] = {name: {"file": file, "shape": list(gradient.shape)}}
    return told


def old_keys(config):
    """What transformers 4 wrote: RoPE and windows in other words."""
    rope = config.pop("rope_parameters")
    config |= {"rope_theta": rope["rope_theta"], "rope_scaling": None}
    config["torch_dtype"] = config.pop("dtype")
    return config


def main():
    for name, (kind, values, seed) in CASES.items():
        torch.manual_seed(seed)
        folder = HERE / name
        model = getattr(transformers, kind + "ForCausalLM")(
            getattr(transformers, kind + "Config")(**values))
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.15 * torch.randn_like(parameter))
        model.save_pretrained(folder)
        (folder / "generation_config.json").unlink(missing_ok=True)
        (folder / "config.json").rename(folder / "config_alt.json")
        config = old_keys(json.loads((folder / "config_alt.json").read_text()))
        (folder / "config.json").write_text(json.dumps(config, indent=1))
        ids = torch.randint(3, 64, (2, LENGTH))
        with torch.no_grad():
            padding, packed = torch.tensor(PADDING), torch.tensor(PACKED)
            places = (padding.cumsum(1) - 1).clamp(min=0)
            runs = [
                run(folder, model, "within12", ids[:, :12]),
                run(folder, model, "at16", ids[:, :16]),
                run(folder, model, "beyond40", ids),
                run(folder, model, "left_padded", ids[:, :32], attention_mask=padding, position_ids=places),
                run(folder, model, "packed", ids[:, :32], position_ids=packed),
            ]  # fmt: skip
            steps = decode(model, ids[:1])
            whole = model(input_ids=ids[:1, :DECODED], use_cache=False).logits
            runs.append(
                save(folder, "decode28", steps)
                | {"max_abs_diff_to_single_full_forward": (steps - whole).abs().max().item()}
            )
        expected = {
            "source": f"transformers {transformers.__version__}, torch {torch.__version__}, eager, CPU,"
            " by test-data/scripts/windows.py",
            "model_class": kind + "ForCausalLM",
            "dtype": "float32",
            "input_ids": ids.tolist(),
            "runs": runs,
            "training": {
                "definition": "mean next-token cross entropy over all (B, S-1) positions",
                "within12": training(folder, model, ids[:, :12]),
                "beyond40": training(folder, model, ids),
            },
        }
        (folder / "expected.json").write_text(json.dumps(expected, indent=1))
        print(name, [r.get("max_abs_diff_to_single_full_forward") for r in runs][-1])


main()
