"""Logits of step-by-step decoding where RoPE's frequencies depend on the length.

Usage: python test-data/scripts/decode.py CHECKPOINTS, a folder with the model llama_default.
Writes test-data/goldens/generation/decode.json. The weights are those of llama_default; the
configuration is changed to a dynamic or a LongRoPE scaling of a trained length of 16.
"""

import json
import pathlib
import sys

import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM, DynamicCache
from transformers.models.llama import modeling_llama as llama

PROMPT, LENGTH, TRAINED = 10, 28, 16
SCALINGS = {
    "dynamic": dict(rope_type="dynamic", rope_theta=10000.0, factor=4.0),
    "longrope": dict(
        rope_type="longrope",
        rope_theta=10000.0,
        factor=4.0,
        original_max_position_embeddings=TRAINED,
        short_factor=[1.0, 1.05, 1.1, 1.15, 1.2, 1.3, 1.4, 1.5],
        long_factor=[1.0, 1.3, 2.0, 2.9, 3.7, 4.0, 4.0, 4.0],
    ),
}


def model(folder, scaling):
    config = AutoConfig.from_pretrained(folder)
    config.rope_parameters = scaling
    config.max_position_embeddings = TRAINED if scaling["rope_type"] == "dynamic" else 4 * TRAINED
    made = AutoModelForCausalLM.from_pretrained(
        folder, config=config, dtype=torch.float32, attn_implementation="eager")
    return made.eval()


def steps(made, ids):
    cache = DynamicCache()
    out = [made(input_ids=ids[:, :PROMPT], past_key_values=cache, use_cache=True).logits]
    for i in range(PROMPT, LENGTH):
        out.append(made(input_ids=ids[:, i : i + 1], past_key_values=cache, use_cache=True).logits)
    return torch.cat(out, 1)


def recompute(made, ids):
    out = [made(input_ids=ids[:, :PROMPT]).logits]
    for i in range(PROMPT, LENGTH):
        out.append(made(input_ids=ids[:, : i + 1]).logits[:, -1:])
    return torch.cat(out, 1)


def unrotated(made, ids):
    """The cache is given keys before rotation; all of them are rotated in each step."""
    rotary = made.model.rotary_emb
    keep = llama.apply_rotary_pos_emb, llama.LlamaAttention.forward

    def forward(self, hidden_states, position_embeddings=None, attention_mask=None,
                past_key_values=None, **kwargs):
        shape = (*hidden_states.shape[:-1], -1, self.head_dim)
        q = self.q_proj(hidden_states).view(shape).transpose(1, 2)
        k = self.k_proj(hidden_states).view(shape).transpose(1, 2)
        v = self.v_proj(hidden_states).view(shape).transpose(1, 2)
        k, v = past_key_values.update(k, v, self.layer_idx)
        cos, sin = rotary(hidden_states, torch.arange(k.shape[2])[None])
        new = q.shape[2]
        q, _ = keep[0](q, q, cos[:, -new:], sin[:, -new:])
        k, _ = keep[0](k, k, cos, sin)
        y, w = llama.eager_attention_forward(
            self, q, k, v, attention_mask, scaling=self.scaling, dropout=0.0)
        return self.o_proj(y.reshape(*hidden_states.shape[:-1], -1)), w

    llama.LlamaAttention.forward = forward
    try:
        return steps(made, ids)
    finally:
        llama.LlamaAttention.forward = keep[1]


@torch.no_grad()
def main(folder):
    ids = torch.tensor(json.load(open(folder / "expected.json"))["input_ids"])[:1, :LENGTH]
    cases = []
    for name, scaling in SCALINGS.items():
        results = {}
        for key, run in (
            ("cached", steps),
            ("unrotated", unrotated),
            ("recompute", recompute),
            ("full", lambda m, i: m(input_ids=i).logits),
        ):
            results[key] = run(model(folder, scaling), ids)
        for key in ("cached", "unrotated"):
            for other in ("full", "recompute"):
                print(name, key, other, (results[key] - results[other]).abs().max().item())
        logits = {key: value[0].tolist() for key, value in results.items()}
        cases.append(dict(name=name, rope_parameters=scaling, logits=logits))
    source = f"Hugging Face transformers {transformers.__version__}, torch {torch.__version__}"
    note = f"weights of llama_default, its input_ids[:1, :{LENGTH}], a prompt of {PROMPT}"
    out = pathlib.Path("test-data/goldens/generation/decode.json")
    out.write_text(json.dumps(dict(source=source, note=note, cases=cases)) + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]) / "llama_default")
