"""LSeg (ViT-L/16) and SED-B written with PyTorch's and timm's modules, for comparisons in speed, memory and numbers.

The names of parameters are those of the published checkpoints behind their prefixes, so a state dict of random weights
saved from here is a checkpoint. The networks follow the papers and the facts in docs/SEGMENTERS.md; only inference at
published settings is here: no dropout, no auxiliary logits, no early rejection, class attention without pooling.
"""

import timm
import torch
from torch import nn
from torch.nn import functional as F


class Readout(nn.Module):
    """Joins the class token to every other one."""

    def __init__(self, width):
        super().__init__()
        self.project = nn.Sequential(nn.Linear(2 * width, width), nn.GELU())

    def forward(self, tokens):
        cls = tokens[:, :1].expand(-1, tokens.shape[1] - 1, -1)
        return self.project(torch.cat((tokens[:, 1:], cls), -1))


class ResidualUnit(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.bn2 = nn.BatchNorm2d(width)

    def forward(self, x):
        y = self.bn1(self.conv1(F.relu(x)))
        return x + self.bn2(self.conv2(F.relu(y)))


class Fusion(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.out_conv = nn.Conv2d(width, width, 1)
        self.resConfUnit1 = ResidualUnit(width)
        self.resConfUnit2 = ResidualUnit(width)

    def forward(self, x, skip=None):
        if skip is not None:
            x = x + self.resConfUnit1(skip)
        x = F.interpolate(self.resConfUnit2(x), scale_factor=2, mode="bilinear", align_corners=True)
        return self.out_conv(x)


class LSeg(nn.Module):
    prefix = "net."
    hooks = (5, 11, 17, 23)
    channels = (256, 512, 1024, 1024)

    def __init__(self, width=1024, features=256, joint=512):
        super().__init__()
        self.pretrained = nn.Module()
        self.pretrained.model = timm.create_model("vit_large_patch16_384", pretrained=False, num_classes=0)
        last = (
            nn.ConvTranspose2d(256, 256, 4, stride=4), nn.ConvTranspose2d(512, 512, 2, stride=2), None,
            nn.Conv2d(1024, 1024, 3, stride=2, padding=1),
        )
        self.scratch = nn.Module()
        for level, (channels, resample) in enumerate(zip(self.channels, last), 1):
            parts = [Readout(width), nn.Identity(), nn.Identity(), nn.Conv2d(width, channels, 1)]
            setattr(self.pretrained, f"act_postprocess{level}", nn.Sequential(*parts, *([resample] if resample else [])))
            setattr(self.scratch, f"layer{level}_rn", nn.Conv2d(channels, features, 3, padding=1, bias=False))
            setattr(self.scratch, f"refinenet{level}", Fusion(features))
        self.scratch.head1 = nn.Conv2d(features, joint, 1)

    def tokens(self, image):
        vit = self.pretrained.model
        h, w = image.shape[2] // 16, image.shape[3] // 16
        x = vit.patch_embed.proj(image).flatten(2).transpose(1, 2)
        side = int((vit.pos_embed.shape[1] - 1) ** 0.5)
        grid = vit.pos_embed[:, 1:].transpose(1, 2).reshape(1, -1, side, side)
        grid = F.interpolate(grid, (h, w), mode="bilinear", align_corners=False).flatten(2).transpose(1, 2)
        x = torch.cat((vit.cls_token.expand(len(x), -1, -1), x), 1) + torch.cat((vit.pos_embed[:, :1], grid), 1)
        for index, block in enumerate(vit.blocks):
            x = block(x)
            if index in self.hooks:
                yield x

    def forward(self, image, text):
        h, w = image.shape[2] // 16, image.shape[3] // 16
        maps = []
        for level, tokens in enumerate(self.tokens(image), 1):
            post = getattr(self.pretrained, f"act_postprocess{level}")
            x = post[0](tokens).transpose(1, 2).unflatten(2, (h, w))
            maps.append(getattr(self.scratch, f"layer{level}_rn")(post[3:](x)))
        path = self.scratch.refinenet4(maps[3])
        for level in (3, 2, 1):
            path = getattr(self.scratch, f"refinenet{level}")(path, maps[level - 1])
        pixels = F.normalize(self.scratch.head1(path), dim=1)
        logits = torch.einsum("nchw,kc->nkhw", pixels, F.normalize(text[:, 0], dim=-1)) / 0.07
        return F.interpolate(logits, scale_factor=2, mode="bilinear", align_corners=True)


class SpatialFusion(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.dwconv = nn.Conv2d(width, width, 9, padding=4, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.pwconv1 = nn.Linear(width, 4 * width)
        self.pwconv2 = nn.Linear(4 * width, width)
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x):
        y = self.norm(self.dwconv(x).permute(0, 2, 3, 1))
        return x + (self.gamma * self.pwconv2(F.gelu(self.pwconv1(y)))).permute(0, 3, 1, 2)


class LinearAttention(nn.Module):
    def __init__(self, width, heads=4):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v = (nn.Linear(width, width) for _ in range(3))

    def forward(self, x):
        q, k, v = (part(x).unflatten(-1, (self.heads, -1)) for part in (self.q, self.k, self.v))
        q, k = F.elu(q) + 1, F.elu(k) + 1
        sums = torch.einsum("nshd,nshv->nhdv", k, v / x.shape[1])
        scale = 1 / (torch.einsum("nlhd,nhd->nlh", q, k.sum(1)) + 1e-6)
        return (torch.einsum("nlhd,nhdv,nlh->nlhv", q, sums, scale) * x.shape[1]).flatten(-2)


class ClassFusion(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.attention = LinearAttention(width)
        self.MLP = nn.Sequential(nn.Linear(width, 4 * width), nn.ReLU(), nn.Linear(4 * width, width))
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x):
        """[classes, C, h, w] → the same."""
        tokens = x.permute(2, 3, 0, 1).flatten(0, 1)
        tokens = tokens + self.attention(self.norm1(tokens))
        tokens = tokens + self.MLP(self.norm2(tokens))
        return x + tokens.unflatten(0, x.shape[2:]).permute(2, 3, 0, 1)


class DoubleConvolution(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        parts = []
        for width in (inputs, outputs):
            parts += [nn.Conv2d(width, outputs, 3, padding=1, bias=False), nn.GroupNorm(outputs // 16, outputs), nn.ReLU()]
        self.double_conv = nn.Sequential(*parts)

    def forward(self, x):
        return self.double_conv(x)


class Stage(nn.Module):
    def __init__(self, inputs, outputs, guidance):
        super().__init__()
        self.cnext = SpatialFusion(inputs)
        self.attention = ClassFusion(inputs)
        self.up = nn.ConvTranspose2d(inputs, inputs - guidance, 2, stride=2)
        self.conv = DoubleConvolution(inputs + guidance, outputs)

    def forward(self, x, picture, cost):
        x = self.up(self.attention(self.cnext(x)))
        return self.conv(torch.cat((x, picture.expand(len(x), -1, -1, -1), cost), 1))


class SED(nn.Module):
    prefix = "sem_seg_head.predictor."
    channels = (128, 64, 32, 16)
    guidance = (32, 16, 8)

    def __init__(self, joint=640, templates=80):
        super().__init__()
        visual = nn.Module()
        visual.trunk = timm.create_model("convnext_base", pretrained=False, num_classes=0)
        visual.head = nn.Module()
        visual.head.proj = nn.Linear(1024, joint, bias=False)
        self.clip_model = nn.Module()
        self.clip_model.visual = visual
        decoder = nn.Module()
        decoder.conv1 = nn.Conv2d(templates, self.channels[0], 7, padding=3)
        pictures, costs = [], []
        for stage, (width, guidance) in enumerate(zip((512, 256, 128), self.guidance)):
            before = templates if stage == 0 else self.guidance[stage - 1]
            pictures.append(nn.Sequential(nn.Conv2d(width, guidance, 3, padding=1), nn.ReLU()))
            costs.append(nn.Sequential(nn.ConvTranspose2d(before, guidance, 2, stride=2), nn.ReLU()))
            inputs, outputs = self.channels[stage : stage + 2]
            setattr(decoder, f"decoder{stage + 1}", Stage(inputs, outputs, guidance))
            setattr(decoder, f"head{stage}", nn.Conv2d(inputs, 1, 3, padding=1))
        decoder.decoder_guidance_projection = nn.ModuleList(pictures)
        decoder.decoder_corr_guidance_projection = nn.ModuleList(costs)
        decoder.head = nn.Conv2d(self.channels[3], 1, 3, padding=1)
        self.transformer = decoder

    def forward(self, image, text):
        """One image; text [classes, templates, width] of unit vectors → logits [1, classes, h / 4, w / 4]."""
        trunk, decoder = self.clip_model.visual.trunk, self.transformer
        x, maps = trunk.stem(image), []
        for stage in trunk.stages:
            x = stage(x)
            maps.append(x)
        norm = trunk.head.norm
        x = F.layer_norm(x.permute(0, 2, 3, 1), norm.weight.shape, norm.weight, norm.bias, 1e-6)
        dense = F.normalize(self.clip_model.visual.head.proj(x), dim=-1)[0]
        cost = torch.einsum("hwd,tpd->tphw", dense, text)
        x = decoder.conv1(cost)
        for stage in range(3):
            picture = decoder.decoder_guidance_projection[stage](maps[2 - stage])
            cost = decoder.decoder_corr_guidance_projection[stage](cost)
            x = getattr(decoder, f"decoder{stage + 1}")(x, picture, cost)
        return decoder.head(x).transpose(0, 1)


NETWORKS = {"lseg": LSeg, "sed": SED}


def network(part, seed=1):
    """A network with random weights, spread so that every part of it has an effect."""
    torch.manual_seed(seed)
    made = NETWORKS[part]().eval()
    for name, value in made.named_parameters():
        if name.endswith("gamma"):
            nn.init.uniform_(value, 0.05, 0.15)
        elif name.endswith(("cls_token", "pos_embed")):
            nn.init.normal_(value, std=0.5)
    for name, value in made.named_buffers():
        if name.endswith("running_mean"):
            nn.init.normal_(value, std=0.2)
        elif name.endswith("running_var"):
            nn.init.uniform_(value, 0.8, 1.2)
    return made
