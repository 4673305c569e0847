"""Makes sed-small.safetensors: what SED-L's trunk and the preparation of pictures give, at small sizes.

    python3 make_sed_small.py

The trunk is timm's ConvNeXt with the projection of OpenCLIP's `convnext_large_d_320` (two linear maps with GELU, the second
without bias), at every position. Weights and pictures are made by the formula that Tests/TestSupport/Formula.swift states.
Pictures go through Pillow's bilinear resize on bytes, then PyTorch's on normalised numbers.

Made with torch 2.15.0, timm 1.0.31 and Pillow 13.0.0, on a CPU.
"""

import math
import pathlib

import numpy as np
import PIL
import timm
import torch
from PIL import Image
from safetensors.numpy import save_file
from timm.models.convnext import ConvNeXt

MASK = (1 << 64) - 1
SEED = 1
PREFIX = "sem_seg_head.predictor.clip_model.visual."


def fill(name, shape, kind):
    state = 0xCBF29CE484222325
    for byte in name.encode():
        state = ((state ^ byte) * 0x100000001B3) & MASK
    state = (state + SEED * 0x9E3779B97F4A7C15) & MASK
    with np.errstate(over="ignore"):
        z = np.uint64(state) + np.arange(1, math.prod(shape) + 1, dtype=np.uint64) * np.uint64(0xBF58476D1CE4E5B9)
        z ^= z >> np.uint64(30)
        z *= np.uint64(0xBF58476D1CE4E5B9)
        z ^= z >> np.uint64(27)
        z *= np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    u = ((z >> np.uint64(40)).astype(np.float64) / (1 << 24)).astype(np.float32).reshape(shape)
    spread = {"weight": math.sqrt(3 / math.prod(shape[1:])), "bias": 0.1, "norm": 0.1, "input": 1}[kind]
    return np.float32(1 if kind == "norm" else 0) + np.float32(spread) * (2 * u - 1)


def kind(name, shape):
    return "weight" if len(shape) > 1 else "bias" if name.endswith("bias") else "norm"


class Visual(torch.nn.Module):
    def __init__(self, widths, depths, features):
        super().__init__()
        self.trunk = ConvNeXt(depths=depths, dims=widths, num_classes=0, global_pool="")
        self.head = torch.nn.Module()
        self.head.mlp = torch.nn.Module()
        self.head.mlp.fc1 = torch.nn.Linear(widths[-1], widths[-1])
        self.head.mlp.fc2 = torch.nn.Linear(widths[-1], features, bias=False)

    def forward(self, x):
        maps = []
        x = self.trunk.stem(x)
        for stage in self.trunk.stages:
            x = stage(x)
            maps.append(x)
        x = self.trunk.head.norm(x).permute(0, 2, 3, 1)
        x = self.head.mlp.fc2(torch.nn.functional.gelu(self.head.mlp.fc1(x)))
        return maps, x.permute(0, 3, 1, 2)


def trunk():
    model = Visual([12, 20, 24, 40], [1, 2, 3, 1], 16).eval()
    state = {name: torch.from_numpy(fill(PREFIX + name, tuple(value.shape), kind(name, value.shape)))
             for name, value in model.state_dict().items()}
    model.load_state_dict(state)
    maps, dense = model(torch.from_numpy(fill("input.image", (1, 3, 64, 96), "input")))
    return {**{f"large.res{2 + index}": value for index, value in enumerate(maps)}, "large.clip_vis_dense": dense}


def shorter_side(width, height, short=640, longest=2560):
    scale = short / min(width, height)
    wide, high = (width * scale, float(short)) if height < width else (float(short), height * scale)
    if max(wide, high) > longest:
        scale = longest / max(wide, high)
        wide, high = wide * scale, high * scale
    return int(wide + 0.5), int(high + 0.5)


def pictures():
    mean = torch.tensor([122.7709383, 116.7460125, 104.09373615])
    deviation = torch.tensor([68.5005327, 66.6321579, 70.3231630])
    result = {}
    for width, height in [(900, 700), (120, 200), (1000, 50)]:
        name = f"picture.{width}x{height}"
        pixels = np.floor((fill(name, (height, width, 3), "input") + 1) * 128).astype(np.uint8)
        resized = np.asarray(Image.fromarray(pixels).resize(shorter_side(width, height), Image.BILINEAR))
        normalized = (torch.from_numpy(resized.astype(np.float32)) - mean) / deviation
        seen = torch.nn.functional.interpolate(
            normalized.permute(2, 0, 1)[None], size=(768, 768), mode="bilinear", align_corners=False)
        result[f"{name}.size"] = torch.tensor(resized.shape[:2], dtype=torch.int32)
        result[f"{name}.bytes_every_23rd"] = torch.from_numpy(resized[::23, ::23].copy())
        result[f"{name}.input_every_29th"] = seen[:, :, ::29, ::29]
    probabilities = torch.from_numpy(fill("probabilities", (1, 3, 12, 20), "input")) / 2 + 0.5
    result["output"] = torch.nn.functional.interpolate(
        probabilities, size=(31, 45), mode="bilinear", align_corners=False)
    return result


with torch.no_grad():
    tensors = {name: value.contiguous().numpy() for name, value in {**trunk(), **pictures()}.items()}
path = pathlib.Path(__file__).parent / "sed-small.safetensors"
save_file(tensors, path)
path.chmod(0o644)
print(path.name, path.stat().st_size, torch.__version__, timm.__version__, PIL.__version__)
