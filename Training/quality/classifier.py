"""A small classifier of composed scenes: which categories are in a picture. Its features are the space that distances are
measured in."""

import pathlib
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import scenes

FEATURES = 256
# Pixels a side that it looks at, whatever the size of the pictures: enough to tell things apart, and quickly learnt.
SIDE = 64


class Residual(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.skip = nn.Conv2d(inputs, outputs, 1, stride=2, bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm2d(outputs) for _ in range(2))

    def forward(self, x):
        y = F.relu(self.norms[0](self.first(x)))
        return F.relu(self.norms[1](self.second(y)) + self.skip(x))


class Classifier(nn.Module):
    """Pictures [n, 3, 64, 64] from −1 to 1 to logits [n, categories] and features [n, 256]."""

    def __init__(self, categories):
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 5, stride=2, padding=2)
        self.body = nn.Sequential(Residual(32, 64), Residual(64, 128), Residual(128, FEATURES))
        self.head = nn.Linear(FEATURES, categories)

    def forward(self, x):
        # The largest response beside the mean: an object fills a part of the picture only.
        maps = self.body(F.relu(self.stem(x)))
        features = maps.mean((2, 3)) + maps.amax((2, 3))
        return self.head(features), features


def present(classes, categories):
    """[n, categories], 1 where a scene shows a category."""
    out = torch.zeros(len(classes), categories)
    for row, own in enumerate(classes.tolist()):
        out[row, [category for category in own if category >= 0]] = 1
    return out


def train(world, minutes, device, batch=64, seed=11):
    """Trains on scenes of what is not held out; none comes a third time."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = Classifier(len(world.names)).to(device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-2)
    start, step = time.time(), 0
    while (done := (time.time() - start) / 60 / minutes) < 1:
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * min(1, done / 0.03 + 0.01) * (1 - done)
        if step % 2 == 0:
            made = scenes.compose(world, batch, SIDE, rng)
        # Composing costs as much as a step: each batch comes again, mirrored and blurred as pictures of an autoencoder
        # are; it is to judge shapes and not edges.
        images = made.images
        if step % 2:
            images = F.avg_pool2d(images.flip(3), 3, stride=1, padding=1, count_include_pad=False)
        with torch.autocast(device, torch.bfloat16):
            logits, _ = network(images)
        # Of hundreds of categories a scene shows one or two: without the weight "nothing" would be learnt first.
        target = present(made.classes, len(world.names)).to(device)
        loss = F.binary_cross_entropy_with_logits(
            logits.float(), target, pos_weight=torch.tensor(len(world.drawn) / 8.0))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        if step % 200 == 0:
            print(f"classifier step {step} loss {loss.item():.4f} {100 * done:.0f}%", flush=True)
    return network.eval()


def kept(path, world, minutes, device):
    """The classifier of a file, which is trained and written where there is none."""
    path = pathlib.Path(path)
    if not path.exists():
        torch.save(train(world, minutes, device).state_dict(), path)
    network = Classifier(len(world.names)).to(device)
    network.load_state_dict(torch.load(path, map_location=device, weights_only=True))
    return network.eval()


@torch.no_grad()
def apply(network, pictures, batch=64):
    """Logits and features of pictures, on the CPU."""
    small = [F.adaptive_avg_pool2d(part, SIDE) for part in pictures.split(batch)]
    parts = [network(part) for part in small]
    return tuple(torch.cat([part[i] for part in parts]).float().cpu() for i in range(2))


def recognised(logits, wanted):
    """The share of pictures whose most likely categories are those that were asked for, as many as were."""
    hits = [set(row.topk(len(own)).indices.tolist()) == set(own) for row, own in zip(logits, wanted)]
    return sum(hits) / len(hits)
