"""Lets Hugging Face's own code write folders for posenc to read, and read what posenc wrote.

    python test-data/scripts/folders.py write DIR
    python test-data/scripts/folders.py check DIR

`write` makes a folder of random weights for each family under DIR. `check` loads every folder under
DIR that has an ours.safetensors, with posenc's ids and logits, and prints how far transformers'
logits are from them; it fails where that is more than 2e-4. Where the file has the logits of decoding
with a cache, 15 tokens and then one at a time, and those of a left-padded batch, they are compared too. HuggingFaceTest runs both where
POSENC_PYTHON names a Python with transformers, safetensors and PyTorch. Made with transformers 5.18.
"""

import json
import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

transformers.utils.logging.disable_progress_bar()

TOLERANCE = 2e-4
TEXT = "Call me Ishmael. Some years ago – never mind how long precisely – I had 3 ships."

SIZES = dict(
    vocab_size=50,
    hidden_size=32,
    intermediate_size=40,
    num_hidden_layers=3,
    num_attention_heads=4,
    max_position_embeddings=64,
    bos_token_id=1,
    eos_token_id=2,
    pad_token_id=None,
)
GROUPED = dict(SIZES, num_key_value_heads=2)
SCALED = dict(original_max_position_embeddings=16, rope_theta=10000.0)
FACTORS = dict(short_factor=[1.0, 1.1, 1.2, 1.3], long_factor=[1.0, 1.5, 3.0, 4.0])
TYPES = ["sliding_attention", "full_attention", "sliding_attention"]

CASES = {
    "llama": ("Llama", GROUPED),
    "llama biases": ("Llama", dict(GROUPED, attention_bias=True, mlp_bias=True, head_dim=12)),
    "llama tied": ("Llama", dict(SIZES, tie_word_embeddings=True)),
    "llama tied and equal": ("Llama", dict(SIZES, tie_word_embeddings=True)),
    "llama tied and different": ("Llama", dict(SIZES, tie_word_embeddings=True)),
    "llama tied to the output": ("Llama", dict(SIZES, tie_word_embeddings=True)),
    "llama linear": ("Llama", dict(GROUPED, rope_parameters=dict(rope_type="linear", factor=4.0, rope_theta=10000.0))),
    "llama dynamic": ("Llama", dict(GROUPED, max_position_embeddings=16, rope_parameters=dict(rope_type="dynamic", factor=2.0, rope_theta=10000.0))),
    "llama yarn": ("Llama", dict(GROUPED, rope_parameters=dict(SCALED, rope_type="yarn", factor=4.0))),
    "llama llama3": ("Llama", dict(GROUPED, rope_parameters=dict(SCALED, rope_type="llama3", factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0))),
    "llama longrope": ("Llama", dict(GROUPED, rope_parameters=dict(**SCALED, **FACTORS, rope_type="longrope", factor=4.0))),
    "mistral": ("Mistral", dict(GROUPED, sliding_window=None)),
    "mistral window 64": ("Mistral", dict(GROUPED, sliding_window=64)),
    "mistral window 4": ("Mistral", dict(GROUPED, sliding_window=4)),
    "mistral window yarn": ("Mistral", dict(GROUPED, sliding_window=7, rope_parameters=dict(SCALED, rope_type="yarn", factor=4.0))),
    "qwen2 window from 1": ("Qwen2", dict(GROUPED, use_sliding_window=True, sliding_window=5, max_window_layers=1)),
    "qwen2 window types": ("Qwen2", dict(GROUPED, use_sliding_window=True, sliding_window=8, layer_types=TYPES)),
    "qwen3 window types": ("Qwen3", dict(GROUPED, head_dim=16, use_sliding_window=True, sliding_window=6, layer_types=TYPES)),
    "phi3 window": ("Phi3", dict(GROUPED, pad_token_id=0, sliding_window=6)),
    "smollm3 window": ("SmolLM3", dict(GROUPED, no_rope_layers=[1, 0, 1], use_sliding_window=True, sliding_window=5)),
    "ministral window": ("Ministral", dict(GROUPED, head_dim=8, sliding_window=5, layer_types=TYPES)),
    "qwen2": ("Qwen2", GROUPED),
    "qwen3": ("Qwen3", dict(GROUPED, head_dim=16)),
    "qwen3 biases": ("Qwen3", dict(GROUPED, head_dim=16, attention_bias=True)),
    "phi3": ("Phi3", dict(GROUPED, pad_token_id=0)),
    "phi3 longrope": ("Phi3", dict(GROUPED, pad_token_id=0, original_max_position_embeddings=16, rope_parameters=dict(**SCALED, **FACTORS, rope_type="longrope"))),
    "gpt_neox": ("GPTNeoX", dict(SIZES, rope_parameters=dict(rope_type="default", rope_theta=10000.0, partial_rotary_factor=0.5))),
    "gpt_neox sequential": ("GPTNeoX", dict(SIZES, use_parallel_residual=False)),
    "smollm3": ("SmolLM3", dict(GROUPED, no_rope_layers=[1, 0, 1])),
    "llama shards": ("Llama", GROUPED),
    "llama bfloat16": ("Llama", GROUPED),
}  # fmt: skip


def write(directory):
    torch.manual_seed(5)
    for name, (kind, values) in CASES.items():
        config = getattr(transformers, kind + "Config")(**values)
        model = getattr(transformers, kind + "ForCausalLM")(config)
        with torch.no_grad():
            for parameter in model.parameters():  # biases and gains too, and large enough to see
                parameter.add_(0.2 * torch.randn_like(parameter))
        if name.endswith("bfloat16"):
            model.to(torch.bfloat16)
        size = "20KB" if name.endswith("shards") else "5GB"
        model.save_pretrained(directory / name, max_shard_size=size)
        if " tied " in name:
            store_the_output_too(directory / name, name.split()[-1])
        if kind == "Ministral":  # which AutoConfig also makes of a Mistral with layer_types
            file = directory / name / "config.json"
            file.write_text(file.read_text().replace('"ministral"', '"mistral"'))
        print("wrote", name)


def store_the_output_too(folder, how):
    file = folder / "model.safetensors"
    tensors = load_file(file)
    tokens = tensors["model.embed_tokens.weight"]
    tensors["lm_head.weight"] = tokens + 0.1 * torch.randn_like(tokens) if how == "different" else tokens.clone()
    if how == "output":
        del tensors["model.embed_tokens.weight"]
    save_file(tensors, file, metadata=dict(format="pt"))


def check(directory):
    failed = False
    for file in sorted(directory.rglob("ours.safetensors")):
        folder = file.parent
        ours = load_file(file)
        model, told = transformers.AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=torch.float32,
            attn_implementation="eager",
            output_loading_info=True,
        )
        model.eval()
        with torch.no_grad():
            logits = model(ours["ids"]).logits
            difference = (logits - ours["logits"]).abs().max().item()
            if "decoded" in ours:
                other = (decode(model, ours["ids"]) - ours["decoded"]).abs().max().item()
                difference = max(difference, other)
            if "padded" in ours:
                real = ours["real"]
                theirs = model(ours["ids"], attention_mask=real, position_ids=ours["places"]).logits
                other = ((theirs - ours["padded"]).abs() * real[..., None]).max().item()
                difference = max(difference, other)
        strange = {key: value for key, value in told.items() if value}
        wrong = difference > TOLERANCE or bool(strange) or not same_tokens(folder)
        failed = failed or wrong
        kind = json.loads((folder / "config.json").read_text())["model_type"]
        print(
            f"{folder.relative_to(directory)}: {kind}, {difference:.1e} of {logits.abs().max().item():.1f}",
            strange or "",
            "WRONG" if wrong else "",
        )
    sys.exit(failed)


def decode(model, ids):
    cache = transformers.DynamicCache(config=model.config)
    pieces = [ids[:, :15], *ids[:, 15:].split(1, dim=1)]
    logits = [model(piece, past_key_values=cache, use_cache=True).logits for piece in pieces]
    return torch.cat(logits, 1)


def same_tokens(folder):
    """Whether what transformers makes of the folder's tokenizer is the tokenizer."""
    file = folder / "tokenizer.json"
    if not file.exists():
        return True
    theirs = transformers.AutoTokenizer.from_pretrained(folder)
    return theirs(TEXT)["input_ids"] == Tokenizer.from_file(str(file)).encode(TEXT).ids


if __name__ == "__main__":
    {"write": write, "check": check}[sys.argv[1]](Path(sys.argv[2]))
