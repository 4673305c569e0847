"""Makes the fixtures of training: gradients of layers and of the grounding module, and ten steps of it, by PyTorch.

layers.safetensors     for each layer: what goes in, the gradient of what comes out (`g`), and PyTorch's gradients
                       (`grad.NAME`); maps are named `map…` and stored N C H W
gradients.safetensors  gradients of the first loss of the module ../grounding/ours.safetensors on the batch `odd` of
                       ../grounding/cases.safetensors, batch norms by the batch
steps.safetensors      masks and presence it is trained towards, the losses of ten steps of AdamW, and a part of what
                       the tenth leaves

Versions: ../requirements.txt.
"""

import importlib.util
import pathlib
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent))
from fixture_io import Case

specification = importlib.util.spec_from_file_location("grounding", here.parent / "grounding" / "generate.py")
grounding = importlib.util.module_from_spec(specification)
specification.loader.exec_module(grounding)


class Layers(Case):
    def layer(self, name, call, shapes, away=None, constants=()):
        """Draws the inputs, `away` from 0 where a slope jumps there, and keeps what PyTorch passes back."""
        inputs = {}
        for key, shape in shapes.items():
            value = self.draw(*shape)
            if away and key.startswith(away):
                value = torch.where(value < 0, value - 0.3, value + 0.3).half().float()
            inputs[key] = value.requires_grad_(key not in constants)
            self.tensors[f"{name}.{key}"] = value.detach().half()
        out = call(*inputs.values())
        g = self.draw(*out.shape) if out.dim() else torch.tensor(1.0)
        out.backward(g)
        self.tensors[f"{name}.out"] = out.detach().float()
        self.tensors[f"{name}.g"] = g.half()
        for key, value in inputs.items():
            if value.requires_grad:
                self.output(f"{name}.grad.{key}", value.grad)


def attend(q, k, v, heads, causal=False):
    split = lambda t: t.unflatten(-1, (heads, -1)).transpose(1, 2)
    mixed = F.scaled_dot_product_attention(split(q), split(k), split(v), is_causal=causal)
    return mixed.transpose(1, 2).flatten(2)


def dice(logits, targets, smoothing=1):
    p = logits.sigmoid()
    return (1 - (2 * (p * targets).sum(-1) + smoothing) / (p.sum(-1) + targets.sum(-1) + smoothing)).mean()


def layers():
    case = Layers(71)
    conv = lambda **options: lambda x, w, b: F.conv2d(x, w, b, **options)
    case.layer("linear", F.linear, dict(x=(2, 5, 7), w=(6, 7), b=(6,)))
    shapes = dict(mapx=(2, 5, 6, 7), w=(4, 5, 3, 3), b=(4,))
    case.layer("conv.same", conv(padding=1), shapes)
    case.layer("conv.valid", conv(), shapes)
    case.layer("conv.wide", conv(padding=3), shapes)
    case.layer("conv.strided", conv(padding=1, stride=2), shapes)
    case.layer("conv.point", conv(), dict(mapx=(2, 5, 6, 7), w=(4, 5, 1, 1), b=(4,)))
    case.layer("conv.point.strided", conv(stride=2), dict(mapx=(2, 5, 6, 7), w=(4, 5, 1, 1), b=(4,)))
    case.layer("conv.patch", conv(stride=3), dict(mapx=(2, 5, 6, 9), w=(4, 5, 3, 3), b=(4,)))
    double = lambda x: F.interpolate(x, scale_factor=2, mode="nearest")
    case.layer("conv.enlarged", lambda x, w, b: F.conv2d(double(x), w, b, padding=1), shapes)
    case.layer("norm.batch", lambda x, w, b: F.batch_norm(x, None, None, w, b, True, 0, 1e-5), dict(mapx=(3, 4, 5, 6), w=(4,), b=(4,)))
    case.layer("norm.image", lambda x, w, b: F.instance_norm(x, None, None, w, b, True, 0, 1e-5), dict(mapx=(3, 4, 5, 6), w=(4,), b=(4,)))
    case.layer("norm.group", lambda x, w, b: F.silu(F.group_norm(x, 2, w, b, 1e-5)), dict(mapx=(3, 6, 5, 4), w=(6,), b=(6,)))
    case.layer("norm.running", lambda x, w, b, m: F.batch_norm(x, m, torch.ones(4), w, b, False, 0, 0), dict(mapx=(3, 4, 5, 6), w=(4,), b=(4,), m=(4,)), constants=("m",))
    case.layer("norm.layer", lambda x, w, b: F.layer_norm(x, (9,), w, b, 1e-5), dict(x=(5, 3, 9), w=(9,), b=(9,)))
    kinds = dict(silu=F.silu, gelu=F.gelu, relu=F.relu, leaky=F.leaky_relu, sigmoid=torch.sigmoid, tanh=torch.tanh)
    kinds["quick"] = lambda x: x * torch.sigmoid(1.702 * x)
    kinds["softmax"] = lambda x: x.softmax(-1)
    kinds["geglu"] = lambda x: x.chunk(2, -1)[0] * F.gelu(x.chunk(2, -1)[1])
    for name, kind in kinds.items():
        case.layer(f"act.{name}", kind, dict(x=(6, 10)), away="x")
    qkv = lambda t, s: dict(q=(2, t, 12), k=(2, s, 12), v=(2, s, 12))
    case.layer("attention", lambda q, k, v: attend(q, k, v, 3), qkv(5, 7))
    case.layer("attention.blocks", lambda q, k, v: attend(q, k, v, 2), qkv(150, 20))
    case.layer("attention.causal", lambda q, k, v: attend(q, k, v, 3, True), qkv(9, 9))
    case.layer("embedding", lambda w: F.embedding(torch.tensor([3, 0, 3, 4]), w), dict(w=(5, 4)))
    bilinear = lambda h, w: lambda x: F.interpolate(x, size=(h, w), mode="bilinear", align_corners=False)
    case.layer("bilinear.up", bilinear(11, 7), dict(mapx=(2, 3, 4, 5)))
    case.layer("bilinear.down", bilinear(3, 4), dict(mapx=(2, 3, 7, 6)))
    case.layer("bilinear.plane", bilinear(12, 10), dict(mapx=(4, 1, 3, 5)))
    case.layer("nearest", lambda x: F.interpolate(x, size=(7, 3), mode="nearest"), dict(mapx=(2, 3, 4, 5)))
    case.layer("edges", lambda x: F.pad(x, (0, 3, 0, 2), mode="replicate"), dict(mapx=(2, 3, 4, 5)))
    case.layer("join", lambda a, b: torch.cat([a, b], -1), dict(a=(3, 4), b=(3, 2)))
    case.layer("slice", lambda x: x[1:3, 2:5] * x[0:2, 1:4], dict(x=(4, 6)))
    case.layer("product", lambda a, b: a * b, dict(a=(3, 4), b=(3, 4)))
    case.layer("product.repeated", lambda a, b: a * b, dict(a=(3, 5, 4), b=(4,)))
    case.layer("sum.repeated", lambda a, b: a + b, dict(a=(3, 5, 4), b=(5, 4)))
    case.layer("queries", lambda q, x: torch.einsum("nqc,npc->npq", q, x), dict(q=(1, 3, 6), x=(1, 8, 6)))
    case.layer("mean", lambda x: x.mean(), dict(x=(6, 5)))
    half = lambda t: t.sigmoid()
    case.layer("loss.bce", lambda x, t, w: F.binary_cross_entropy_with_logits(x, half(t), weight=w), dict(x=(4, 9), t=(4, 9), w=(4, 9)), constants=("t", "w"))
    case.layer("loss.dice", lambda x, t: dice(x, half(t)), dict(x=(4, 9), t=(4, 9)), constants=("t",))
    classes = torch.tensor([0, 2, 255, 4, 1, 255, 3])
    case.layer("loss.ce", lambda x: F.cross_entropy(x, classes, ignore_index=255), dict(x=(7, 5)))
    case.save(here / "layers.safetensors")


def steps():
    config = dict(grounding.BASE)
    stored = load_file(here.parent / "grounding" / "ours.safetensors")
    weights = {key: value.float() for key, value in stored.items()}
    data = load_file(here.parent / "grounding" / "cases.safetensors")
    maps = [
        [[data[f"odd.feature.level{level}.{i}.{half}"].float() for half in ("uncond", "cond")] for i in range(len(channels))]
        for level, channels in enumerate(grounding.CHANNELS)
    ]
    entities = data["odd.entities"].float()
    parameters = [key for key in sorted(weights) if "running" not in key]
    for key in parameters:
        weights[key].requires_grad_(True)

    case = Case(72)
    coarse = case.draw(2, 2, 5, 4)
    masks = (F.interpolate(coarse, size=(72, 56), mode="bilinear") > 0).float()
    presence = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    case.tensors.update(masks=masks.to(torch.uint8), presence=presence)

    optimizer = torch.optim.AdamW([weights[key] for key in parameters], lr=1e-3, weight_decay=0.01)
    losses, gradients = [], Case(0)
    for step in range(10):
        optimizer.zero_grad()
        logits, found = grounding.ground(config, weights, maps, entities, "batch")
        loss = F.binary_cross_entropy_with_logits(logits, masks) + dice(logits.flatten(2), masks.flatten(2))
        loss = loss + F.binary_cross_entropy_with_logits(found, presence)
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            for key in parameters:
                gradients.output(key, weights[key].grad)
        optimizer.step()
    print("losses", losses)
    case.output("losses", torch.tensor(losses))
    for key in ("levels.1.mix.norm1.running_mean", "levels.1.mix.norm2.running_var", "presence_head.weight"):
        case.output(f"after.{key}", weights[key])
    case.save(here / "steps.safetensors")
    gradients.save(here / "gradients.safetensors")


layers()
steps()
