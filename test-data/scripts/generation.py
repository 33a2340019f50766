"""Reference values of text generation, from Hugging Face transformers.

Usage: python test-data/scripts/generation.py CHECKPOINTS, a folder with the models named below.
Writes test-data/goldens/generation/processors.json and greedy.json.
"""

import json
import pathlib
import sys

import torch
import transformers
from transformers import AutoModelForCausalLM, GenerationConfig
from transformers.generation.logits_process import (
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

OUT = pathlib.Path("test-data/goldens/generation")
SOURCE = f"Hugging Face transformers {transformers.__version__}, torch {torch.__version__}"
STOP = 2
MODELS = ["llama_default", "llama_gqa8_2", "llama_linear", "llama_yarn", "qwen3"]


def processors():
    torch.manual_seed(5)
    cases = []
    settings = [
        dict(),
        dict(temperature=0.7),
        dict(temperature=1.9),
        dict(top_k=5),
        dict(top_k=1),
        dict(top_k=1000),
        dict(top_p=0.9),
        dict(top_p=0.05),
        dict(repetition_penalty=1.3),
        dict(repetition_penalty=0.8),
        dict(temperature=0.6, top_k=20, top_p=0.95),
        dict(temperature=1.5, top_p=0.7, repetition_penalty=1.2),
        dict(temperature=0.8, top_k=10, repetition_penalty=1.1),
    ]
    for setting in settings:
        for vocabulary in (6, 32):
            logits = 3 * torch.randn(1, vocabulary)
            past = torch.randint(0, vocabulary, (1, 7))
            scores = logits.clone()
            if "repetition_penalty" in setting:
                scores = RepetitionPenaltyLogitsProcessor(setting["repetition_penalty"])(past, scores)
            if "temperature" in setting:
                scores = TemperatureLogitsWarper(setting["temperature"])(past, scores)
            if "top_k" in setting:
                scores = TopKLogitsWarper(setting["top_k"])(past, scores)
            if "top_p" in setting:
                scores = TopPLogitsWarper(setting["top_p"])(past, scores)
            cases.append(
                dict(
                    params=setting,
                    past=past[0].tolist(),
                    logits=logits[0].tolist(),
                    probabilities=torch.softmax(scores, -1)[0].tolist(),
                )
            )
    note = "repetition penalty, then temperature, top-k, top-p, as generate() orders them; softmax"
    return dict(source=SOURCE, note=note, cases=cases)


def greedy(folder):
    cases = []
    for name in MODELS:
        model = AutoModelForCausalLM.from_pretrained(folder / name, dtype=torch.float32).eval()
        rows = json.load(open(folder / name / "expected.json"))["input_ids"]
        prompts = [rows[0][:9], rows[1][3:7], rows[1][:12]]
        longest = max(map(len, prompts))
        ids = torch.tensor([[0] * (longest - len(p)) + p for p in prompts])
        mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in prompts])
        for penalty in (1.0, 1.3):
            # The prompt's padding must not be penalised: one row at a time where there is a penalty.
            batches = [(ids, mask)] if penalty == 1.0 else [
                (torch.tensor([p]), torch.ones(1, len(p), dtype=torch.long)) for p in prompts]
            new = []
            for batch, real in batches:
                out = model.generate(
                    input_ids=batch,
                    attention_mask=real,
                    generation_config=GenerationConfig(
                        do_sample=False,
                        max_new_tokens=24,
                        repetition_penalty=penalty,
                        eos_token_id=STOP,
                        pad_token_id=0,
                    ),
                )
                for row in out[:, batch.shape[1]:].tolist():
                    new.append(row[:row.index(STOP) + 1] if STOP in row else row)
            cases.append(dict(model=name, repetition_penalty=penalty, prompts=prompts, tokens=new))
    note = "greedy generate() of a left-padded batch; each row alone where there is a penalty"
    return dict(source=SOURCE, note=note, stop=STOP, cases=cases)


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    for file, content in (
        ("processors.json", processors()),
        ("greedy.json", greedy(pathlib.Path(sys.argv[1]))),
    ):
        (OUT / file).write_text(json.dumps(content, indent=1) + "\n")
