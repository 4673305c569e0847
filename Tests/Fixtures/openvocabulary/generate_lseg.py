"""Makes lseg-small.safetensors: LSeg stated anew with timm and torchvision, at small widths and with the image encoders
of which there are no golden outputs, ViT-B/32 and ResNet; and the text tower as open_clip has it.

Weights and inputs are made by formula.py. Everything is done in the order of the paper's text, nothing is folded.
"""

import json
import pathlib

import open_clip
import timm
import torch
import torchvision
from safetensors.torch import save_file
from timm.models.vision_transformer import VisionTransformer
from torch import nn
from torch.nn import functional
from torchvision.models.resnet import Bottleneck

import formula

torch.set_num_threads(1)
SEED = 3
FEATURES, WIDTH = 16, 24


class Readout(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.project = nn.Sequential(nn.Linear(2 * width, width), nn.GELU())

    def forward(self, tokens):
        first = tokens[:, :1].expand(-1, tokens.shape[1] - 1, -1)
        return self.project(torch.cat((tokens[:, 1:], first), dim=-1))


class Unit(nn.Module):
    def __init__(self):
        super().__init__()
        for index in (1, 2):
            setattr(self, f"conv{index}", nn.Conv2d(FEATURES, FEATURES, 3, padding=1, bias=False))
            setattr(self, f"bn{index}", nn.BatchNorm2d(FEATURES))

    def forward(self, x):
        return x + self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(functional.relu(x))))))


class Fusion(nn.Module):
    def __init__(self):
        super().__init__()
        self.out_conv = nn.Conv2d(FEATURES, FEATURES, 1)
        self.resConfUnit1, self.resConfUnit2 = Unit(), Unit()

    def forward(self, x, skip=None):
        if skip is not None:
            x = x + self.resConfUnit1(skip)
        x = self.resConfUnit2(x)
        return self.out_conv(functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True))


class Block(nn.Module):
    """The block's convolution, under the names of the published modules."""

    def __init__(self):
        super().__init__()
        self.depthwise = nn.Module()
        self.depthwise.depthwise = nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, x):
        return torch.cat([self.depthwise.depthwise(x[:, i : i + 1]) for i in range(x.shape[1])], dim=1)


class Network(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.pretrained, self.scratch = nn.Module(), nn.Module()
        for level, count in enumerate(channels, 1):
            setattr(self.scratch, f"layer{level}_rn", nn.Conv2d(count, FEATURES, 3, padding=1, bias=False))
            setattr(self.scratch, f"refinenet{level}", Fusion())
        self.scratch.head1 = nn.Conv2d(FEATURES, WIDTH, 1)
        self.scratch.head_block = Block()

    def features(self, image):
        maps, path = self.maps(image), None
        for level in (4, 3, 2, 1):
            part = getattr(self.scratch, f"layer{level}_rn")(maps[level - 1])
            fusion = getattr(self.scratch, f"refinenet{level}")
            path = fusion(part) if path is None else fusion(path, part)
        return self.scratch.head1(path)

    def logits(self, features, text, kind=None, activation=None, depth=1):
        vectors = functional.normalize(features, dim=1)
        x = torch.einsum("nchw,lc->nlhw", vectors, functional.normalize(text, dim=1)) / 0.07
        for left in reversed(range(depth if kind else 0)):
            largest = x.amax(dim=1, keepdim=True) if kind == "bottleneck" else 0
            x = self.scratch.head_block(x) + largest
            x = activation(x) if left else x
        return functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)


class Transformer(Network):
    """ViT with patches of 32 pixels; the grid of positions is 3 × 3."""

    def __init__(self):
        channels = (8, 12, 16, 20)
        super().__init__(channels)
        self.pretrained.model = VisionTransformer(
            img_size=96, patch_size=32, embed_dim=64, depth=4, num_heads=1, num_classes=5
        )
        for level, count in enumerate(channels):
            side = 8 >> level
            parts = [Readout(64), nn.Identity(), nn.Identity(), nn.Conv2d(64, count, 1)]
            if side > 1:
                parts.append(nn.ConvTranspose2d(count, count, side, stride=side))
            setattr(self.pretrained, f"act_postprocess{level + 1}", nn.Sequential(*parts))

    def maps(self, image):
        model, (h, w) = self.pretrained.model, (side // 32 for side in image.shape[2:])
        places = model.pos_embed[:, 1:].reshape(1, 3, 3, -1).permute(0, 3, 1, 2)
        places = functional.interpolate(places, size=(h, w), mode="bilinear", align_corners=False)
        places = torch.cat((model.pos_embed[:, :1], places.flatten(2).transpose(1, 2)), dim=1)
        patches = model.patch_embed.proj(image).flatten(2).transpose(1, 2)
        x = torch.cat((model.cls_token.expand(len(image), -1, -1), patches), dim=1) + places
        maps = []
        for level, block in enumerate(model.blocks):
            x = block(x)
            post = getattr(self.pretrained, f"act_postprocess{level + 1}")
            maps.append(post[3:](post[0](x).transpose(1, 2).unflatten(2, (h, w))))
        return maps


class Residual(Network):
    """Bottlenecks of torchvision in four stages of 1, 2, 1 and 1."""

    def __init__(self):
        widths = (4, 6, 8, 10)
        super().__init__([4 * width for width in widths])
        inputs, stages = 8, []
        for stage, (width, count) in enumerate(zip(widths, (1, 2, 1, 1))):
            blocks = []
            for index in range(count):
                stride = 2 if stage and not index else 1
                shortcut = None
                if stride != 1 or inputs != 4 * width:
                    shortcut = nn.Sequential(
                        nn.Conv2d(inputs, 4 * width, 1, stride=stride, bias=False), nn.BatchNorm2d(4 * width)
                    )
                blocks.append(Bottleneck(inputs, width, stride, shortcut))
                inputs = 4 * width
            stages.append(nn.Sequential(*blocks))
        stem = [nn.Conv2d(3, 8, 7, stride=2, padding=3, bias=False), nn.BatchNorm2d(8), nn.ReLU()]
        self.pretrained.layer1 = nn.Sequential(*stem, nn.MaxPool2d(3, stride=2, padding=1), stages[0])
        for level in (2, 3, 4):
            setattr(self.pretrained, f"layer{level}", stages[level - 1])

    def maps(self, image):
        maps = []
        for level in (1, 2, 3, 4):
            image = getattr(self.pretrained, f"layer{level}")(image)
            maps.append(image)
        return maps


def text_tower(tensors, shapes):
    """OpenCLIP's own tower; with exact GELU and with OpenAI's approximation of it."""
    for name, quick in (("gelu", False), ("quick", True)):
        tower = open_clip.CLIP(
            embed_dim=24,
            vision_cfg=dict(layers=1, width=64, head_width=64, image_size=32, patch_size=32),
            text_cfg=dict(context_length=9, vocab_size=50, width=128, heads=2, layers=3),
            quick_gelu=quick,
        ).eval()
        shapes["text"] = formula.fill(tower, SEED)
        ids = [[48, 7, 49, 0, 0, 0, 0, 0, 0], [48, 3, 9, 30, 12, 5, 49, 0, 0], [48, 49, 0, 0, 0, 0, 0, 0, 0]]
        tensors["text.ids"] = torch.tensor(ids, dtype=torch.int32)
        tensors[f"text.{name}"] = tower.encode_text(torch.tensor(ids))


def main():
    tensors, shapes = {}, {}
    for name, network in (("vitb32", Transformer()), ("resnet", Residual())):
        network = network.eval()
        shapes[name] = formula.fill(network, SEED)
        image = formula.tensor("image", (2, 3, 64, 160), "input", SEED)
        text = formula.tensor("text", (3, WIDTH), "input", SEED)
        features = network.features(image)
        tensors[f"{name}.features"] = features[:, :, ::5, ::5]
        heads = {
            "plain": (),
            "bottleneck": ("bottleneck", functional.relu, 3),
            "depthwise": ("depthwise", functional.relu, 1),
        }
        for head, settings in heads.items():
            tensors[f"{name}.{head}"] = network.logits(features, text, *settings)[:, :, ::5, ::5]
    text_tower(tensors, shapes)
    notes = dict(
        torch=torch.__version__,
        timm=timm.__version__,
        torchvision=torchvision.__version__,
        open_clip=open_clip.__version__,
        shapes=json.dumps(shapes, separators=(",", ":")),
    )
    path = pathlib.Path(__file__).parent / "lseg-small.safetensors"
    save_file(
        {name: value.contiguous().clone() for name, value in tensors.items()},
        path,
        metadata={"notes": json.dumps(notes)},
    )
    print(path.name, path.stat().st_size)


with torch.no_grad():
    main()
