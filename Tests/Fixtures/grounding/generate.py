"""Makes the fixtures of our grounding module: an implementation in PyTorch, after its description alone.

ours.safetensors      weights of a module for the U-Net of ../diffusion/tiny-sd1, in the format `triptych ground` reads
features.safetensors  maps and entities for it, in that format, and every fourth row and column of the logits
cases.safetensors     batches, both kinds of statistics, and a module that reads one prediction only; every third
                      row and column of the logits

published.safetensors is not made here: it holds outputs of the published code (seg_module.py of
Lipurple/Grounded-Diffusion, computed in float32 on a CPU) on weights and inputs made by the formula that
MaskGroundingTests/Formula.swift states; every fourth row and column of the logits.

Versions: ../requirements.txt.
"""

import json
import math
import pathlib
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent))
from fixture_io import Case

# Blocks of tiny-sd1 by the size of their output, in call order.
CHANNELS = [[8, 8, 16, 8, 8], [8, 16, 24, 16], [16, 24, 24, 24]]
BASE = {
    "format": 1,
    "levels": [{"width": w, "channels": c} for w, c in zip([16, 12, 8], CHANNELS)],
    "reads_unconditional": True,
    "text_width": 32,
    "width": 24,
    "heads": 3,
    "layers": 2,
    "hidden_width": 40,
    "patch": 4,
    "statistics": "running",
    "affine_norms": True,
    "spectral_norm": False,
    "epsilon": 1e-05,
    "presence": True,
    "steps": [{"from_end": 0}],
    "prediction": "epsilon",
    "pixels_per_cell": 8,
    "query_prefix": "a photograph of a",
    "pooling": "mean",
}


def shapes(c):
    """Key and shape of every tensor."""
    out = {}
    halves = 2 if c["reads_unconditional"] else 1
    widths = [level["width"] for level in c["levels"]]
    for i, level in enumerate(c["levels"]):
        out[f"levels.{i}.projection.weight"] = (level["width"], halves * sum(level["channels"]))
    for i in range(len(widths) - 1):
        n = sum(widths[i:])
        for k in (1, 2):
            part = f"levels.{i}.mix"
            out[f"{part}.norm{k}.running_mean"] = out[f"{part}.norm{k}.running_var"] = (n,)
            if c["affine_norms"]:
                out[f"{part}.norm{k}.weight"] = out[f"{part}.norm{k}.bias"] = (n,)
            out[f"{part}.conv{k}.weight"] = (n, n, 3, 3)
            out[f"{part}.conv{k}.bias"] = (n,)
            if c["spectral_norm"]:
                out[f"{part}.conv{k}.u0"] = (1, n)
    total, d, h = sum(widths), c["width"], c["hidden_width"]
    out["to_keys.weight"] = (d, total * c["patch"] ** 2)
    out["to_queries.weight"] = (d, c["text_width"])
    for i in range(c["layers"]):
        part = f"decoder.layers.{i}"
        for name in ("self_attn", "multihead_attn"):
            out[f"{part}.{name}.in_proj_weight"] = (3 * d, d)
            out[f"{part}.{name}.out_proj.weight"] = (d, d)
        out[f"{part}.linear1.weight"], out[f"{part}.linear1.bias"] = (h, d), (h,)
        out[f"{part}.linear2.weight"], out[f"{part}.linear2.bias"] = (d, h), (d,)
        for k in (1, 2, 3):
            out[f"{part}.norm{k}.weight"] = out[f"{part}.norm{k}.bias"] = (d,)
    for k in range(3):
        n = total if k == 2 else d
        out[f"mask_head.layers.{k}.weight"], out[f"mask_head.layers.{k}.bias"] = (n, d), (n,)
    if c["presence"]:
        out["presence_head.weight"], out["presence_head.bias"] = (1, d), (1,)
    return out


def draw_weights(case, c):
    weights = {}
    for key, shape in sorted(shapes(c).items()):
        if key.endswith("running_var"):
            value = (0.5 + case.draw(*shape).abs()).half().float()
        elif key.endswith("u0"):
            value = case.draw(*shape)
        elif len(shape) > 1:
            value = case.draw(*shape, scale=math.prod(shape[1:]) ** -0.5)
        elif key.endswith("weight"):
            value = (1 + case.draw(*shape, scale=0.2)).half().float()
        else:
            value = case.draw(*shape, scale=0.2)
        weights[key] = value
    return weights


def spectral(weight, u):
    matrix = weight.flatten(1)
    v = F.normalize(u @ matrix, eps=1e-4)
    new_u = F.normalize(v @ matrix.t(), eps=1e-4)
    return weight / (v @ matrix.t() @ new_u.t()).squeeze()


def attend(w, part, x, context, heads):
    q, k, v = w[f"{part}.in_proj_weight"].chunk(3)
    split = lambda t: t.unflatten(-1, (heads, -1)).transpose(1, 2)
    mixed = F.scaled_dot_product_attention(split(x @ q.t()), split(context @ k.t()), split(context @ v.t()))
    return mixed.transpose(1, 2).flatten(2) @ w[f"{part}.out_proj.weight"].t()


def ground(c, w, maps, entities, statistics):
    """maps: for each level a list of (unconditional, conditional) [N, C, h, w]; entities [N, n, D]."""

    def norm(x, part):
        affine = [w.get(f"{part}.weight"), w.get(f"{part}.bias")]
        if statistics == "running":
            return F.batch_norm(x, w[f"{part}.running_mean"], w[f"{part}.running_var"], *affine, False, 0, c["epsilon"])
        if statistics == "batch":  # as in training: changes the running statistics in place
            return F.batch_norm(x, w[f"{part}.running_mean"], w[f"{part}.running_var"], *affine, True, 0.1, c["epsilon"])
        one = [F.batch_norm(s[None], None, None, *affine, True, 0, c["epsilon"]) for s in x]
        return torch.cat(one)

    def mix(x, part):
        def conv(x, k):
            weight = w[f"{part}.conv{k}.weight"]
            if c["spectral_norm"]:
                weight = spectral(weight, w[f"{part}.conv{k}.u0"])
            return F.conv2d(x, weight, w[f"{part}.conv{k}.bias"], padding=1)

        skip = F.relu(norm(x, f"{part}.norm1"))
        return skip + conv(F.relu(norm(conv(skip, 1), f"{part}.norm2")), 2)

    resize = lambda x, size: F.interpolate(x, size=size, mode="bilinear", align_corners=False)
    sizes = [level[0][1].shape[2:] for level in maps]
    x = None
    for i in reversed(range(len(maps))):
        target = sizes[max(i - 1, 0)]
        halves = [[u, k] if c["reads_unconditional"] else [k] for u, k in maps[i]]
        joined = torch.cat([resize(m, target) for pair in halves for m in pair], 1)
        own = torch.einsum("oc,nchw->nohw", w[f"levels.{i}.projection.weight"], joined)
        x = own if x is None else mix(torch.cat([resize(x, target), own], 1), f"levels.{i}.mix")

    p = c["patch"]
    height, width = x.shape[2:]
    padded = F.pad(x, (0, -width % p, 0, -height % p), mode="replicate")
    memory = F.unfold(padded, p, stride=p).transpose(1, 2) @ w["to_keys.weight"].t()
    q = entities @ w["to_queries.weight"].t()
    for i in range(c["layers"]):
        part = f"decoder.layers.{i}"
        ln = lambda t, k: F.layer_norm(t, t.shape[-1:], w[f"{part}.norm{k}.weight"], w[f"{part}.norm{k}.bias"], 1e-5)
        own = ln(q, 1)
        q = q + attend(w, f"{part}.self_attn", own, own, c["heads"])
        q = q + attend(w, f"{part}.multihead_attn", ln(q, 2), memory, c["heads"])
        inner = F.relu(F.linear(ln(q, 3), w[f"{part}.linear1.weight"], w[f"{part}.linear1.bias"]))
        q = q + F.linear(inner, w[f"{part}.linear2.weight"], w[f"{part}.linear2.bias"])
    e = q
    for k in range(3):
        e = F.linear(e, w[f"mask_head.layers.{k}.weight"], w[f"mask_head.layers.{k}.bias"])
        e = F.relu(e) if k < 2 else e
    large = resize(x, (height * c["pixels_per_cell"], width * c["pixels_per_cell"]))
    presence = None
    if c["presence"]:
        presence = F.linear(q, w["presence_head.weight"], w["presence_head.bias"]).squeeze(-1)
    # Compared at the picture's size, as the published module does it.
    return torch.einsum("nchw,nec->nehw", large, e), presence


def draw_maps(case, name, count, sizes, guided):
    maps = []
    for level, (channels, size) in enumerate(zip(CHANNELS, sizes)):
        pairs = []
        for i, c in enumerate(channels):
            key = f"{name}feature.level{level}.{i}"
            u = case.input(f"{key}.uncond", count, c, *size) if guided else None
            pairs.append((u, case.input(f"{key}.cond", count, c, *size)))
        maps.append(pairs)
    return maps


def sizes(height, width):
    return [(-(-height // 2**i), -(-width // 2**i)) for i in range(len(CHANNELS))]


@torch.no_grad()
def main():
    # The module and one picture, as files of the program.
    case = Case(41)
    weights = draw_weights(case, BASE)
    save_file(
        {k: v.half().contiguous() for k, v in weights.items()},
        here / "ours.safetensors",
        metadata={"triptych_grounding": json.dumps(BASE, sort_keys=True)},
    )
    case.tensors = {}
    maps = draw_maps(case, "", 1, sizes(8, 12), True)
    entities = case.input("entities", 1, 3, 32)
    logits, _ = ground(BASE, weights, maps, entities, "running")
    case.output("expected", logits[0, :, ::4, ::4])
    case.save(here / "features.safetensors")

    case = Case(42)
    # A batch of two at an odd size, each picture with entities of its own.
    maps = draw_maps(case, "odd.", 2, sizes(9, 7), True)
    entities = case.input("odd.entities", 2, 2, 32)
    for statistics in ("running", "image"):
        logits, presence = ground(BASE, weights, maps, entities, statistics)
        case.output(f"odd.{statistics}.logits", logits[..., ::3, ::3])
        case.output(f"odd.{statistics}.presence", presence)
    # The prediction with the text alone, and the norms as published.
    single = dict(BASE, reads_unconditional=False, affine_norms=False, spectral_norm=True, presence=False)
    own = draw_weights(case, single)
    case.tensors.update({f"single.weights.{k}": v.half() for k, v in own.items()})
    maps = draw_maps(case, "single.", 1, sizes(6, 10), False)
    entities = case.input("single.entities", 1, 2, 32)
    for statistics in ("running", "image"):
        logits, _ = ground(single, own, maps, entities, statistics)
        case.output(f"single.{statistics}.logits", logits[..., ::3, ::3])
    case.save(here / "cases.safetensors", single=json.dumps(single, sort_keys=True))


if __name__ == "__main__":
    main()
