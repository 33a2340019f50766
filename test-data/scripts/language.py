"""Perplexity through sliding windows and greedy generation by transformers: goldens/language.json.

    python test-data/scripts/language.py

For golden checkpoints as they are, and under the RoPE of another configuration. Windows are those of
https://huggingface.co/docs/transformers/perplexity: each scores what those before it have not, and its
first token never. Made with transformers 5.18, PyTorch 2.13, float32.
"""

import json
import os
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers

transformers.utils.logging.disable_progress_bar()

HERE = Path(__file__).resolve().parent.parent
FOLDER = HERE / "goldens" / "checkpoints"
YARN = dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=16, rope_theta=10000.0)
LINEAR = dict(rope_type="linear", factor=3.0, rope_theta=10000.0)
DYNAMIC = dict(rope_type="dynamic", factor=2.0, rope_theta=10000.0)
CASES = [
    ("llama_default", None, "", 64),
    ("llama_yarn", None, "", 64),
    ("phi3_longrope", None, "", 64),
    ("qwen3", None, "", 64),
    ("gpt_neox_partial025", None, "", 64),
    ("llama_default", YARN, "--rope yarn --factor 4", 64),
    ("llama_default", LINEAR, "--rope linear --factor 3", 48),
    ("llama_default", DYNAMIC, "--rope dynamic --factor 2", 16),
    ("qwen3", dict(YARN, rope_theta=5000.0), "--rope yarn --factor 4 --base 5000", 64),
]  # fmt: skip
WINDOWS = [(16, 16), (16, 5), (40, 8), (40, 1), (200, 200)]


def load(name, rope, longest):
    config = transformers.AutoConfig.from_pretrained(FOLDER / name)
    if rope is not None:
        config.rope_parameters = dict(rope)
        config.max_position_embeddings = longest
    return transformers.AutoModelForCausalLM.from_pretrained(
        FOLDER / name, config=config, dtype=torch.float32, attn_implementation="eager"
    ).eval()


def perplexity(model, ids, window, stride):
    total, count, previous, windows = 0.0, 0, 0, 0
    for begin in range(0, ids.shape[1], stride):
        end = min(begin + window, ids.shape[1])
        target = end - previous
        labels = ids[:, begin:end].clone()
        labels[:, :-target] = -100
        with torch.no_grad():
            logits = model(ids[:, begin:end]).logits
        losses = torch.nn.functional.cross_entropy(
            logits[0, :-1].double(), labels[0, 1:], ignore_index=-100, reduction="sum"
        )
        total += losses.item()
        scored = int((labels[0, 1:] != -100).sum())
        count += scored
        windows += scored > 0
        previous = end
        if end == ids.shape[1]:
            break
    return dict(window=window, stride=stride, windows=windows, tokens=count, loss=total / count)


def main():
    torch.manual_seed(11)
    ids = torch.randint(0, 64, (1, 150))
    result = dict(ids=ids[0].tolist(), cases=[])
    for name, rope, options, longest in CASES:
        model = load(name, rope, longest)
        measures = [perplexity(model, ids, *each) for each in WINDOWS]
        case = dict(folder=name, options=options, measures=measures)
        # Where frequencies depend on the length, its cache holds keys of several.
        if rope is not DYNAMIC and name != "phi3_longrope":
            prompt = ids[:, :9]
            written = model.generate(
                prompt,
                attention_mask=torch.ones_like(prompt),
                do_sample=False,
                max_new_tokens=30,
                eos_token_id=None,
                pad_token_id=0,
            )
            case["written"] = written[0, 9:].tolist()
            penalised = model.generate(
                prompt,
                attention_mask=torch.ones_like(prompt),
                do_sample=False,
                max_new_tokens=30,
                eos_token_id=None,
                pad_token_id=0,
                repetition_penalty=1.3,
            )
            case["penalised"] = penalised[0, 9:].tolist()
        result["cases"].append(case)
    (HERE / "goldens" / "language.json").write_text(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
