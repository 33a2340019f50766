"""Writes test-data/goldens/rope/configs.json: random configurations of real model types, in old and new keys,
and the inverse frequencies that Hugging Face's own rotary modules have for them at a length.

    python test-data/scripts/rope_configs.py > test-data/goldens/rope/configs.json

Made with transformers 5.18, torch 2.13. Every module is asked for one length only, freshly made, so that it has
no history. Where transformers 5 does not read what a file says (facts in RopeConfig's documentation), no case is made.
"""
import importlib
import json
import random
import warnings

warnings.filterwarnings("ignore")
import torch
import transformers
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

transformers.logging.set_verbosity_error()
random.seed(20261121)


def scaling(kind, pairs, longest):
    original = random.choice([32, 64, 128, 256])
    longest[0] = original * random.choice([4, 8])
    factor = random.choice([2.0, 4.0, 8.0, 3.5])
    if kind == "default":
        return {}
    if kind in ("linear", "dynamic"):
        return {"factor": factor}
    if kind == "llama3":
        return {"factor": factor, "low_freq_factor": 1.0, "high_freq_factor": random.choice([4.0, 2.5]),
                "original_max_position_embeddings": original}
    if kind == "longrope":
        return {"short_factor": sorted(round(random.uniform(1, 2), 3) for _ in range(pairs)),
                "long_factor": sorted(round(random.uniform(1, 30), 3) for _ in range(pairs)),
                "original_max_position_embeddings": original,
                **({"factor": factor} if random.random() < .3 else {}),
                **({"attention_factor": 1.25} if random.random() < .3 else {})}
    result = {"factor": factor if random.random() < .8 else longest[0] / original,
              "original_max_position_embeddings": original}
    if random.random() < .4:
        result |= {"beta_fast": random.choice([16, 32, 64]), "beta_slow": random.choice([1, 2])}
    if random.random() < .3:
        result["truncate"] = random.random() < .5
    if random.random() < .3:
        result |= {"mscale": 1.0, "mscale_all_dim": random.choice([0.0, 0.8, 1.0])}
    if random.random() < .2:
        result["attention_factor"] = 1.5
    return result


ALL = ["default", "linear", "dynamic", "yarn", "longrope", "llama3"]
# model type: types it is made with, how it says the base and the part that turns in old keys, what it needs beside
TYPES = {
    "llama": (ALL, {}), "mistral": (ALL, {}), "mixtral": (["default", "yarn"], {}), "qwen2": (ALL, {}),
    "qwen3": (ALL, {}), "qwen3_moe": (["default", "yarn"], {}), "gemma": (["default"], {}),
    "gemma2": (["default", "linear"], {}), "phi": (["default", "linear", "yarn"], {"partial": [.5, .25, .75]}),
    "phi3": (["default", "longrope"], {"partial": [1.0, .75]}),
    "gpt_neox": (["default", "linear", "dynamic"], {"partial": [.25, .5, 1.0]}),
    "stablelm": (["default"], {"partial": [.25, .5]}), "persimmon": (["default"], {"partial": [.5]}),
    "nemotron": (["default"], {"partial": [.5]}), "glm": (["default", "linear"], {"partial": [.5]}),
    "glm4": (["default"], {"partial": [.5]}), "cohere": (["default", "linear"], {}),
    "cohere2": (["default", "yarn"], {"layers": 8}), "olmo2": (["default", "llama3"], {}),
    "olmo3": (["default", "yarn"], {"layers": 8}), "granite": (["default", "linear"], {}),
    "starcoder2": (["default"], {}), "smollm3": (["default", "yarn"], {"layers": 8}),
    "gemma3_text": (["default", "linear", "llama3"], {"layers": 12}),
    "modernbert": (["default"], {"layers": 7}), "gpt_oss": (["yarn"], {}), "helium": (["default"], {}),
    "llama4_text": (["default", "llama3"], {"layers": 8}), "exaone4": (["default", "llama3"], {"layers": 8}),
    "deepseek_v3": (["default", "yarn"], {}), "qwen2_vl_text": (["default", "yarn"], {}),
    "qwen3_next": (["default", "yarn"], {"partial": [.25], "layers": 8}),
    "seed_oss": (["default"], {}), "ministral": (["default"], {}),
}


def make(name, kind, style, options):
    heads = random.choice([2, 4])
    head = random.choice([16, 32, 64])
    config = {"model_type": name, "hidden_size": heads * head, "num_attention_heads": heads,
              "num_key_value_heads": heads, "num_hidden_layers": options.get("layers", 2), "vocab_size": 64}
    if name == "deepseek_v3":
        config["qk_rope_head_dim"] = head
    elif random.random() < .5 and name not in ("phi", "phi3", "gpt_neox", "stablelm", "persimmon") or name in (
            "qwen3", "gemma", "gemma2", "gemma3_text", "gpt_oss", "qwen3_next", "llama4_text", "seed_oss", "helium", "glm", "glm4"):
        head = config["head_dim"] = random.choice([16, 32, 48])
    part = random.choice(options.get("partial", [1.0]))
    pairs = int(head * part) // 2
    longest = [random.choice([128, 512, 2048])]
    body = scaling(kind, pairs, longest)
    config["max_position_embeddings"] = longest[0]
    base = random.choice([10000.0, 500000.0, 1000000.0, 150000])
    if name == "olmo3":
        base = 500000.0  # in old keys, transformers 5 gives windowed layers this base whatever rope_theta says
    sections = {"mrope_section": [pairs - 2 * (pairs // 3), pairs // 3, pairs // 3]} if name == "qwen2_vl_text" else {}
    if style == "new":
        rope = {"rope_type": kind, "rope_theta": base, **body, **sections}
        if "partial" in options:
            rope["partial_rotary_factor"] = part
        if name in ("gemma3_text", "olmo3", "modernbert"):
            rope = {"full_attention": rope, "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0 if name != "olmo3" else base}}
        if name == "phi3" and "original_max_position_embeddings" in body:
            config["original_max_position_embeddings"] = body["original_max_position_embeddings"]
        config["rope_parameters"] = rope
    else:
        key = {"gpt_neox": "rotary_emb_base", "modernbert": "global_rope_theta"}.get(name, "rope_theta")
        config[key] = base
        if "partial" in options:
            config["rotary_pct" if name == "gpt_neox" else "partial_rotary_factor"] = part
        if name == "gemma3_text":
            config["rope_local_base_freq"] = random.choice([10000.0, 20000.0])
            config["sliding_window_pattern"] = random.choice([3, 6])
        if name == "phi3" and "original_max_position_embeddings" in body:
            config["original_max_position_embeddings"] = body.pop("original_max_position_embeddings")
        # transformers 5 overlooks "type" where layers differ
        key = random.choice(["type", "rope_type"]) if name not in ("gemma3_text", "olmo3") else "rope_type"
        old = {key: kind, **body, **sections}
        config["rope_scaling"] = None if kind == "default" and not sections else old
    return config


def reference(config, length):
    configuration = CONFIG_MAPPING[config["model_type"]]
    hf = configuration(**json.loads(json.dumps({k: v for k, v in config.items() if k != "model_type"})))
    module = importlib.import_module(configuration.__module__.replace("configuration_", "modeling_"))
    name = [n for n in dir(module) if n.endswith("RotaryEmbedding") and "Vision" not in n][0]
    rotary = getattr(module, name)(hf)
    kinds = sorted({n[:-len("_inv_freq")] for n, _ in rotary.named_buffers() if n.endswith("_inv_freq") and "original" not in n})
    x = torch.zeros(1, length, 8)
    positions = torch.arange(length)[None]
    if config["model_type"] == "qwen2_vl_text":
        positions = positions[None].expand(3, -1, -1)
    result = {}
    for kind in kinds or [None]:
        rotary(x, positions, *([kind] if kind else []))
        frequencies = getattr(rotary, f"{kind}_inv_freq" if kind else "inv_freq")
        scale = getattr(rotary, f"{kind}_attention_scaling" if kind else "attention_scaling", 1.0)
        result[kind or "every"] = {"attention_scaling": float(scale), "inv_freq": [float(f) for f in frequencies]}
    layers = None
    if config["model_type"] in ("smollm3", "llama4_text"):
        layers = [bool(f) for f in hf.no_rope_layers]
    elif config["model_type"] in ("cohere2", "exaone4"):
        layers = [t == "sliding_attention" for t in hf.layer_types]
    elif config["model_type"] == "qwen3_next":
        layers = [t == "full_attention" for t in hf.layer_types]
    return result, (hf.layer_types if kinds else None), layers


cases = []
for name, (kinds, options) in TYPES.items():
    for kind in kinds:
        for style in ("old", "new"):
            if style == "old" and name in ("modernbert",) and kind != "default":
                continue
            config = make(name, kind, style, options)
            length = random.choice([16, config["max_position_embeddings"], 300, 1000])
            rope, types, layers = reference(config, length)
            case = {"name": f"{name} {kind} {style}", "config": config, "length": length, "rope": rope}
            if types:
                case["layer_types"] = list(types)
            if layers:
                case["layers_with_rope"] = layers
            cases.append(case)
print("{\"source\": \"transformers %s, torch %s\"," % (transformers.__version__, torch.__version__))
print(" \"description\": \"random configurations, by test-data/scripts/rope_configs.py\",")
print(" \"cases\": [\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]}")
