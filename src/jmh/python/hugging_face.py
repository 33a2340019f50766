"""What src/jmh/java does with Hugging Face folders, in transformers and peft, timed on this machine.

    python src/jmh/python/hugging_face.py make FOLDER [--size generation|load]
    python src/jmh/python/hugging_face.py generation FOLDER [--precision float32|bfloat16]
    python src/jmh/python/hugging_face.py step FOLDER [--method full|lora]
    python src/jmh/python/hugging_face.py load FOLDER

The first makes a Llama of random weights, of 88 million parameters or of a gigabyte. The others print
one JSON object: the median milliseconds of 700 tokens after 64, or of a step of 2 rows of 256 tokens,
or seconds and the greatest memory of this process once it has read the folder.
"""

import argparse
import json
import os
import statistics
import time

SIZES = {
    "generation": {
        "vocab_size": 8000,
        "hidden_size": 768,
        "intermediate_size": 2048,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "num_key_value_heads": 4,
    },
    "load": {
        "vocab_size": 16000,
        "hidden_size": 1536,
        "intermediate_size": 4096,
        "num_hidden_layers": 9,
        "num_attention_heads": 24,
        "num_key_value_heads": 8,
    },
}
PROMPT, TOKENS = 64, 700
BATCH, LENGTH = 2, 256


def make(folder, size):
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        **SIZES[size], bos_token_id=None, eos_token_id=None, pad_token_id=None
    )
    model = LlamaForCausalLM(config)
    model.save_pretrained(folder)
    return {"parameters": sum(p.numel() for p in model.parameters())}


def read(folder, precision="float32"):
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, precision))


def timed(call):
    before = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - before)


def generation(folder, precision):
    import torch

    model = read(folder, precision).eval()
    prompt = torch.arange(1, PROMPT + 1)[None]

    def generate():
        y = model.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            max_new_tokens=TOKENS,
            min_new_tokens=TOKENS,
            do_sample=False,
        )
        assert y.shape[1] == PROMPT + TOKENS

    times = [timed(generate) for _ in range(4)]
    return {"ms": statistics.median(times[1:])}  # the first warms up


def step(folder, method):
    import torch

    model = read(folder).train()
    if method == "lora":
        from peft import LoraConfig, get_peft_model

        pairs = LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"])
        model = get_peft_model(model, pairs)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4, weight_decay=0.01, fused=True)
    text = torch.randint(model.config.vocab_size, (100_000,))

    def train():
        starts = torch.randint(len(text) - LENGTH - 1, (BATCH,)).tolist()
        rows = torch.stack([text[s : s + LENGTH + 1] for s in starts])
        labels = rows[:, 1:].contiguous()
        model(rows[:, :-1], labels=labels, shift_labels=labels).loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)

    begin, times = time.perf_counter(), []
    while time.perf_counter() - begin < 26:
        took = timed(train)
        if time.perf_counter() - begin > 8:
            times.append(took)
    return {"ms": statistics.median(times)}


def load(folder):
    from transformers import LlamaForCausalLM  # noqa: F401, whose import is not the reading

    before = time.time()
    for parameter in read(folder).parameters():
        parameter.sum()  # a file that is mapped is read when it is looked at
    now = time.time()
    with open("/proc/self/stat", encoding="ascii") as file:
        ticks = int(file.read().rsplit(")", 1)[1].split()[19])
    with open("/proc/uptime", encoding="ascii") as file:
        age = float(file.read().split()[0]) - ticks / os.sysconf("SC_CLK_TCK")
    with open("/proc/self/status", encoding="ascii") as file:
        peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
    return {"process": age, "reading": now - before, "megabytes": peak // 1024}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["make", "generation", "step", "load"])
    parser.add_argument("folder")
    parser.add_argument("--size", choices=SIZES, default="generation")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--method", choices=["full", "lora"], default="full")
    given = parser.parse_args()
    runs = {
        "make": lambda: make(given.folder, given.size),
        "generation": lambda: generation(given.folder, given.precision),
        "step": lambda: step(given.folder, given.method),
        "load": lambda: load(given.folder),
    }
    print(json.dumps(runs[given.what]()))


if __name__ == "__main__":
    main()
