"""Reference values of rotations by several coordinates, read by the tests of encoding.rope.

Run by hand, with torch, transformers and rotary-embedding-torch installed:
    python test-data/scripts/rotary_axes.py ROPE_SELF_ATTN
where ROPE_SELF_ATTN is self-attn/rope_self_attn.py of github.com/naver-ai/rope-vit at ce85c2e. It writes test-data/goldens/rotary/{mrope,vision_2d,lucidrains_axes,mixed}.json. Every value comes from
the libraries' own functions; random inputs from torch.manual_seed(0).
"""

import importlib.util
import json
import pathlib
import sys
from importlib.metadata import version

import torch
from rotary_embedding_torch import RotaryEmbedding, apply_rotary_emb
from transformers import DINOv3ViTConfig, Llama4VisionConfig, PixtralVisionConfig
from transformers.models.dinov3_vit import modeling_dinov3_vit as dinov3
from transformers.models.glm4v import modeling_glm4v as glm4v
from transformers.models.llama4 import modeling_llama4 as llama4
from transformers.models.pixtral import modeling_pixtral as pixtral
from transformers.models.qwen2_5_vl import modeling_qwen2_5_vl as qwen2_5_vl
from transformers.models.qwen2_vl import modeling_qwen2_vl as qwen2_vl
from transformers.models.qwen3_vl import modeling_qwen3_vl as qwen3_vl
from transformers.vision_utils import get_vision_position_ids

torch.manual_seed(0)
OUT = pathlib.Path(__file__).parents[1] / "goldens" / "rotary"
HF = f"transformers {version('transformers')}, torch {version('torch')}, float32"
LUCID = f"rotary-embedding-torch {version('rotary-embedding-torch')}, torch {version('torch')}, float32"


def write(name, source, **content):
    content = {"source": source + "; test-data/scripts/rotary_axes.py", **content}
    (OUT / name).write_text(json.dumps(content) + "\n")


class Config:
    """The few attributes that the rotary classes read."""

    def __init__(self, **values):
        self.__dict__.update(values)

    def standardize_rope_params(self):
        pass


# M-RoPE: tables, a rotated query, and the positions of mixed sequences


def mrope_case(kind, cls, apply, head_dim, sections, base=10000.0, scaling=None):
    parameters = {"rope_type": "default", "rope_theta": base, "mrope_section": sections}
    parameters.update(scaling or {})
    config = Config(
        max_position_embeddings=64, rope_parameters=parameters, head_dim=head_dim,
        hidden_size=2 * head_dim, num_attention_heads=2)
    rope = cls(config)
    positions = torch.tensor([[[0, 1, 2, 2, 2, 2, 4, 5]], [[0, 1, 2, 2, 3, 3, 4, 5]], [[0, 1, 2, 3, 2, 3, 4, 5]]])
    positions = torch.cat([positions, 7 * positions + 3], dim=1)  # (3, 2, 8)
    q = torch.randn(2, 1, 8, head_dim)
    cos, sin = rope(q, positions)
    turned, _ = apply(q, q, cos, sin)
    return {
        "kind": kind, "head_dim": head_dim, "sections": sections, "base": base,
        "scaling": scaling, "positions": positions.permute(1, 2, 0).tolist(),
        "attention_scaling": rope.attention_scaling, "q": q.tolist(), "rotated": turned.tolist()}


yarn = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16, "beta_fast": 32, "beta_slow": 1}
tables = [
    mrope_case("chunked", qwen2_vl.Qwen2VLRotaryEmbedding, qwen2_vl.apply_rotary_pos_emb, 16, [2, 3, 3]),
    mrope_case("chunked", qwen2_vl.Qwen2VLRotaryEmbedding, qwen2_vl.apply_rotary_pos_emb, 16, [4, 2, 2], 1e6, yarn),
    mrope_case("interleaved", qwen3_vl.Qwen3VLTextRotaryEmbedding, qwen3_vl.apply_rotary_pos_emb, 16, [3, 3, 2], 5e6),
    mrope_case("interleaved", qwen3_vl.Qwen3VLTextRotaryEmbedding, qwen3_vl.apply_rotary_pos_emb, 24, [6, 3, 3], 5e6, yarn),
    mrope_case("glm4v", glm4v.Glm4vTextRotaryEmbedding, glm4v.apply_rotary_pos_emb, 16, [2, 3, 3]),
]


def index_case(kind, model, segments, merge, seconds=None, mask=None):
    """Rows of segments: a number of text tokens, or ("image"|"video", t, h, w) in patches."""
    types, images, videos, length = [], [], [], 0
    for row in segments:
        row_types = []
        for s in row:
            if isinstance(s, int):
                row_types += [0] * s
            else:
                n = s[1] * s[2] * s[3] // merge**2
                row_types += [1 if s[0] == "image" else 2] * n
                (images if s[0] == "image" else videos).append(list(s[1:]))
        types.append(row_types)
        length = max(length, len(row_types))
    mask = [[0] * (length - len(t)) + [1] * len(t) for t in types]  # left padding
    types = [[0] * (length - len(t)) + t for t in types]
    ids = torch.ones(len(types), length, dtype=torch.long)
    extra = {} if seconds is None else {"second_per_grid_ts": torch.tensor(seconds)}
    positions, deltas = model.get_rope_index(
        model, ids, torch.tensor(types),
        image_grid_thw=torch.tensor(images) if images else None,
        video_grid_thw=torch.tensor(videos) if videos else None,
        attention_mask=torch.tensor(mask), **extra)
    return {
        "kind": kind, "merge": merge, "segments": segments, "seconds": seconds, "mask": mask,
        "positions": positions.permute(1, 2, 0).tolist(), "deltas": deltas.flatten().tolist()}


def model_of(cls, merge, **more):
    """get_rope_index without the weights of a model."""
    holder = Config(config=Config(vision_config=Config(spatial_merge_size=merge, **more)))
    holder.get_rope_index = cls.get_rope_index
    holder.get_vision_position_ids = lambda *a, **k: cls.get_vision_position_ids(holder, *a, **k)

    class Bound:
        config = holder.config
        get_vision_position_ids = staticmethod(holder.get_vision_position_ids)
        get_rope_index = staticmethod(lambda self, *a, **k: cls.get_rope_index(self, *a, **k))

    return Bound()


rows = [[3, ("image", 1, 4, 6), 2, ("video", 2, 4, 8), 4], [5, ("image", 1, 6, 4), 1]]
indices = [
    index_case("qwen2_vl", model_of(qwen2_vl.Qwen2VLModel, 2), rows, 2),
    index_case("qwen2_5_vl", model_of(qwen2_5_vl.Qwen2_5_VLModel, 2, tokens_per_second=2), rows, 2, seconds=[0.5]),
    index_case("qwen3_vl", model_of(qwen3_vl.Qwen3VLModel, 2), [[3, ("image", 1, 4, 6), 2, ("image", 1, 2, 2)]], 2),
]
write("mrope.json", HF, tables=tables, indices=indices)

# Axial rotations of vision encoders: patches of a 3 x 5 image, and what stands beside them

H, W, D = 4, 6, 16
vision = []


def vision_case(kind, base, x, out, **more):
    vision.append({"kind": kind, "head_dim": D, "base": base, "height": H, "width": W,
                   "x": x.tolist(), "rotated": out.tolist(), **more})


x = torch.randn(1, 2, H * W, D)  # (B, heads, T, D)

config = Config(rope_parameters={"rope_type": "axial", "rope_theta": 10000.0}, head_dim=D)
ids = get_vision_position_ids(torch.tensor([[1, H, W]]), 2)
rope = qwen2_vl.Qwen2VLVisionRotaryEmbedding(config)
cos, sin = rope(x, ids)
out, _ = qwen2_vl.apply_rotary_pos_emb_vision(x[0].transpose(0, 1), x[0].transpose(0, 1), cos, sin)
vision_case("qwen2_vl", 10000.0, x, out.transpose(0, 1)[None], positions=ids.tolist(), merge=2)

grid = torch.stack(torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij"), -1).reshape(-1, 2)
rope = pixtral.PixtralVisionRotaryEmbedding(config)
cos, sin = rope(x, grid)
out, _ = pixtral.apply_rotary_pos_emb(x, x, cos, sin, unsqueeze_dim=0)
vision_case("pixtral", 10000.0, x, out)

config = DINOv3ViTConfig(hidden_size=2 * D, num_attention_heads=2, image_size=64, patch_size=8, rope_theta=100.0)
rope = dinov3.DINOv3ViTRopePositionEmbedding(config).eval()
prefix = torch.randn(1, 2, 3, D)  # a class token and two registers
cos, sin = rope(torch.zeros(1, 3, 8 * H, 8 * W))
whole = torch.cat([prefix, x], 2)
out, _ = dinov3.apply_rotary_pos_emb(whole, whole, cos, sin)
vision_case("dinov3", 100.0, whole, out, before=3)

S = 4  # Llama-4 takes square images, and puts the class token last
config = Config(image_size=8 * S, patch_size=8, hidden_size=2 * D, num_attention_heads=2,
                rope_parameters={"rope_theta": 10000.0})
rope = llama4.Llama4VisionRotaryEmbedding(config)
x = torch.randn(1, 2, S * S + 1, D)
out, _ = llama4.vision_apply_rotary_emb(x.transpose(1, 2), x.transpose(1, 2), rope(x))
vision_case("llama4", 10000.0, x, out.transpose(1, 2), after=1)
vision[-1].update(height=S, width=S)

write("vision_2d.json", HF, cases=vision)

# rotary-embedding-torch: axes of several kinds of frequencies, and xPos

axes = []
for kind, dim, offsets, grid in [("lang", 8, (2, 5), (3, 4)), ("lang", 4, None, (2, 3, 2)),
                                 ("pixel", 8, (0.25, -0.5), (3, 4)), ("constant", 4, None, (2, 3))]:
    rope = RotaryEmbedding(dim=dim, freqs_for=kind, max_freq=12, num_freqs=3, theta=500, cache_if_possible=False)
    freqs = rope.get_axial_freqs(*grid, offsets=offsets)
    t = torch.randn(1, 2, *grid, freqs.shape[-1] + 2)
    axes.append({"kind": kind, "dim": dim, "max_freq": 12, "num_freqs": 3, "theta": 500.0, "grid": list(grid),
                 "offsets": offsets and list(offsets), "t": t.tolist(), "rotated": apply_rotary_emb(freqs, t).tolist()})

xpos = []
for dim, length, scale_base in [(8, 7, 512), (16, 40, 64)]:
    rope = RotaryEmbedding(dim=dim, use_xpos=True, xpos_scale_base=scale_base, cache_if_possible=False)
    q, k = torch.randn(1, 2, length, dim), torch.randn(1, 2, length, dim)
    a, b = rope.rotate_queries_and_keys(q, k)
    xpos.append({"head_dim": dim, "scale_base": scale_base, "q": q.tolist(), "k": k.tolist(),
                 "rotated_q": a.tolist(), "rotated_k": b.tolist(),
                 "logits": (a @ b.transpose(-1, -2)).tolist()})
write("lucidrains_axes.json", LUCID, axial=axes, xpos=xpos)

# RoPE-Mixed of rope-vit, in float64: two layers of two heads over 3 rows and 4 columns

spec = importlib.util.spec_from_file_location("rope_vit", sys.argv[1])
rope_vit = importlib.util.module_from_spec(spec)
spec.loader.exec_module(rope_vit)
torch.set_default_dtype(torch.float64)
depth, heads, dim = 2, 2, 8
initial = rope_vit.init_2d_freqs(dim, heads, theta=10.0, rotate=True)  # (2, heads, dim / 2), float32
freqs = torch.randn(2, depth, heads * dim // 2)  # x, y
x = torch.randn(1, heads, 12, dim)
t_x, t_y = rope_vit.init_t_xy(4, 3)
cis = [rope_vit.compute_mixed_cis(freqs[:, layer], t_x.double(), t_y.double(), heads) for layer in range(depth)]
pairs = torch.view_as_complex(x.reshape(1, heads, 12, dim // 2, 2))
write("mixed.json", f"naver-ai/rope-vit ce85c2e compute_mixed_cis, torch {version('torch')}, float64",
      initial=initial.tolist(), theta=10.0, frequencies=freqs.reshape(2, depth, heads, dim // 2).tolist(),
      height=3, width=4, x=x.tolist(),
      rotated=[torch.view_as_real(pairs * cis[layer]).flatten(3).tolist() for layer in range(depth)])
