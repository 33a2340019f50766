"""Writes src/main/resources/org/posenc/checkpoint/model-families.tsv: what a config.json may leave
out, because Hugging Face's configuration class of its model type has a default for it.

    python test-data/scripts/rope_families.py > src/main/resources/org/posenc/checkpoint/model-families.tsv

Made with transformers 5.18, torch 2.13. The layout is measured, by rotating a vector with one
component set, except for the types in BY_HAND, whose modeling code gives no function for it: Llama-4,
DeepSeek-V2, GPT-J and CodeGen multiply complex numbers or every second component, DeepSeek-V3
rearranges its heads (rope_interleave), and Gemma-3n and Gemma-4 rotate halves.
"""
import importlib
import sys
import warnings

warnings.filterwarnings("ignore")
import torch
import transformers
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

transformers.logging.set_verbosity_error()

TYPES = """llama mistral mixtral ministral ministral3 qwen2 qwen2_moe qwen3 qwen3_moe qwen3_next qwen3_5_text
qwen3_5_moe_text qwen2_vl_text qwen2_5_vl_text qwen3_vl_text qwen3_vl_moe_text phi phi3 phimoe phi4_multimodal gemma
gemma2 gemma3_text gemma3n_text gemma4_text vaultgemma gpt_neox gpt_neox_japanese gptj codegen falcon stablelm
persimmon nemotron cohere cohere2 glm glm4 glm4_moe olmo olmo2 olmo3 olmoe smollm3 llama4_text gpt_oss granite
granitemoe exaone4 deepseek_v2 deepseek_v3 starcoder2 modernbert modernbert-decoder helium ernie4_5
ernie4_5_moe apertus seed_oss mllama_text_model bitnet arcee lfm2 minimax_m2
mimo_v2_flash dots1""".split()
BY_HAND = {"llama4_text": "interleaved", "deepseek_v2": "interleaved", "deepseek_v3": "interleaved",
           "gptj": "interleaved", "codegen": "interleaved", "gemma3n_text": "half-split", "gemma4_text": "half-split"}
# Every how many layers another kind comes, and what: see ModelFamily.
PERIODS = {"gemma3_text": (6, "full-last"), "gemma3n_text": (5, "full-last"), "olmo3": (4, "full-last"),
           "modernbert": (3, "full-first"), "modernbert-decoder": (3, "full-first"), "smollm3": (4, "none"),
           "llama4_text": (4, "none"), "cohere2": (4, "full-none"), "exaone4": (4, "full-none"),
           "qwen3_next": (4, "full-only"), "qwen3_5_text": (4, "full-only"), "qwen3_5_moe_text": (4, "full-only")}


def layout(module):
    for table in (8, 4):  # some take an angle a component, some an angle a pair
        try:
            q = torch.zeros(1, 1, 1, 8)
            q[..., 0] = 1
            angles = torch.full((1, 1, table), .5)
            moved = module.apply_rotary_pos_emb(q, q.clone(), angles.cos(), angles.sin())[0]
            places = moved.flatten().abs().gt(1e-6).nonzero().flatten().tolist()
            return {(0, 1): "interleaved", (0, 4): "half-split"}[tuple(places)]
        except RuntimeError:
            continue
    raise ValueError(module)


print("# Written by test-data/scripts/rope_families.py from transformers", transformers.__version__)
print("\t".join(["model_type", "layout", "base", "local_base", "partial", "head_dim", "hidden_size", "heads",
                 "layers", "max_positions", "period", "kind"]))
for name in TYPES:
    configuration = CONFIG_MAPPING[name]
    try:
        module = importlib.import_module(configuration.__module__.replace("configuration_", "modeling_"))
        config = configuration()
        config.allow_global_per_layer_attribute_access = True
        rope = getattr(config, "rope_parameters", None) or {}
        flat = rope.get("full_attention", rope)
        local = rope.get("sliding_attention", {}).get("rope_theta", "-") if "full_attention" in rope else "-"
        if name in ("olmo3",):
            local = "-"
        base = flat.get("rope_theta", 10000.0)
        partial = 1.0 if flat.get("rope_type") == "proportional" else flat.get("partial_rotary_factor", 1.0)
        hidden, heads = config.hidden_size, config.num_attention_heads
        head = getattr(config, "head_dim", None)
        if name.startswith("deepseek"):
            head = None  # qk_rope_head_dim says it
        else:
            try:
                twice = configuration(hidden_size=2 * hidden)
                twice.allow_global_per_layer_attribute_access = True
                if head != getattr(twice, "head_dim", None):
                    head = None  # follows hidden_size
            except Exception:
                pass
        row = [name, BY_HAND.get(name) or layout(module), base, local, partial, head or "-", hidden, heads,
               config.num_hidden_layers, getattr(config, "max_position_embeddings", None) or "-",
               *PERIODS.get(name, ("-", "-"))]
        print("\t".join(map(str, row)))
    except Exception as e:
        print(name, repr(e)[:200], file=sys.stderr)
