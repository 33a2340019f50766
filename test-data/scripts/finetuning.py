"""Fine-tunes the folder llama_default, with YaRN, by transformers, torch and peft, on packed rows; read by
TrainingLoopTest. Usage: python finetuning.py BATCHES.json > ../goldens/training/finetuning.json, where BATCHES.json
holds 40 batches of TrainingLoopTest.documents() as posenc packs them, and LoRA's first A."""

import json
import math
import pathlib
import sys

import peft
import torch
import transformers

torch.set_num_threads(1)
STEPS, WARMUP, RATE, ROWS, LENGTH = 20, 4, 5e-3, 2, 32
given = json.loads(pathlib.Path(sys.argv[1]).read_text())
folder = pathlib.Path(__file__).parent.parent / "goldens/checkpoints/llama_default"


def load():
    config = transformers.AutoConfig.from_pretrained(folder)
    config.rope_parameters = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 2.0,
                              "original_max_position_embeddings": 16, "beta_fast": 32.0, "beta_slow": 1.0}
    config.max_position_embeddings = LENGTH
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, config=config, dtype=torch.float32)
    assert model.model.rotary_emb.rope_type == "yarn"
    return model.train()


def rate(t):
    if t < WARMUP:
        return RATE * (t + 1) / WARMUP
    return RATE * (1 + math.cos(math.pi * (t - WARMUP) / (STEPS - WARMUP))) / 2


def summed_loss(model, batch):
    """The sum of -log p over labels that count. Labels are the next tokens already."""
    ids = torch.tensor(batch["ids"]).reshape(ROWS, LENGTH)
    labels = torch.tensor(batch["labels"]).reshape(ROWS, LENGTH)
    arguments = {}
    if "documents" in batch:
        documents = torch.tensor(batch["documents"]).reshape(ROWS, LENGTH)
        seen = (documents[:, :, None] == documents[:, None, :]) & torch.ones(LENGTH, LENGTH).tril().bool()
        arguments["attention_mask"] = torch.where(seen, 0.0, torch.finfo(torch.float32).min)[:, None]
        arguments["position_ids"] = torch.tensor(batch["positions"]).reshape(ROWS, LENGTH)
    logits = model(input_ids=ids, **arguments).logits
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum")


def train(model):
    named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    decays = [p for n, p in named if p.dim() > 1 and "embed" not in n]
    spared = [p for n, p in named if not (p.dim() > 1 and "embed" not in n)]
    optimizer = torch.optim.AdamW([{"params": decays, "weight_decay": 0.1}, {"params": spared, "weight_decay": 0.0}],
                                  betas=(0.9, 0.99))
    steps = []
    for t in range(STEPS):
        batches = given["batches"][2 * t:2 * t + 2]
        counted = sum(label != -100 for batch in batches for label in batch["labels"])
        for group in optimizer.param_groups:
            group["lr"] = rate(t)
        optimizer.zero_grad()
        loss = 0
        for batch in batches:
            part = summed_loss(model, batch) / counted
            part.backward()
            loss += float(part.detach())
        norm = float(torch.nn.utils.clip_grad_norm_([p for _, p in named], 0.5))
        optimizer.step()
        steps.append({"loss": loss, "norm": norm, "rate": rate(t)})
    return steps


adapted = peft.get_peft_model(load(), peft.LoraConfig(
    r=4, lora_alpha=8, lora_dropout=0.0, target_modules=["q_proj", "v_proj", "down_proj"]))
names = {"attention.query": "self_attn.q_proj", "attention.value": "self_attn.v_proj", "feedForward.down": "mlp.down_proj"}
parameters = dict(adapted.named_parameters())
for name, values in given["loraA"].items():
    layer, block = name.removesuffix(".loraA").split(".", 1)
    key = f"base_model.model.model.layers.{layer.removeprefix('layer')}.{names[block]}.lora_A.default.weight"
    parameters[key].data.copy_(torch.tensor(values).reshape(parameters[key].shape))

print(json.dumps({
    "reference": f"transformers {transformers.__version__}, peft {peft.__version__}, torch {torch.__version__}, float32,"
                 " one thread; test-data/scripts/finetuning.py",
    "formula": "loss: mean of -log p over the labels of both batches of a step; norm: before clipping to 0.5",
    "full": train(load()),
    "lora": train(adapted),
    "loraA": given["loraA"],
    "batches": given["batches"],
}))
