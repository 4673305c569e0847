"""Times a training step of the embedded model's grounding module in triptych and in PyTorch, in turn.

    swift build -c release --build-tests
    python compare_training.py [--rounds 3] [--steps 10] [--fused] [--channels-last]

A step is the projection of given features of 8 pictures, the module, its loss at 128 pixels (binary cross entropy, dice,
presence), the gradients and AdamW. Each round starts one process of each; each makes two steps that are not counted.
Printed: the smallest and the median of all steps, and their ratios.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time


def ours(arguments):
    environment = dict(os.environ, TRIPTYCH_TRAINING_STEPS=str(arguments.steps))
    command = "swift test -c release --skip-build --filter TrainingSpeedTests".split()
    output = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True).stdout
    line = next(line for line in output.splitlines() if line.startswith("training-step "))
    return json.loads(line.removeprefix("training-step "))


def theirs(arguments, config):
    command = [sys.executable, __file__, "--torch", json.dumps(config), f"--steps={arguments.steps}"]
    command += ["--fused"] * arguments.fused + ["--channels-last"] * arguments.channels_last
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout.splitlines()[-1])


def run_torch(arguments):
    import torch
    import torch.nn as nn
    import torch.nn.functional as F

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    c = json.loads(arguments.torch)
    batch, entity_count, side, pixels = 8, 2, 16, 128
    widths = [level["width"] for level in c["levels"]]
    total, d = sum(widths), c["width"]

    class Mix(nn.Module):
        def __init__(self, n):
            super().__init__()
            self.norm1, self.norm2 = nn.BatchNorm2d(n), nn.BatchNorm2d(n)
            self.conv1, self.conv2 = nn.Conv2d(n, n, 3, padding=1), nn.Conv2d(n, n, 3, padding=1)

        def forward(self, x):
            skip = F.relu(self.norm1(x))
            return skip + self.conv2(F.relu(self.norm2(self.conv1(skip))))

    class Module(nn.Module):
        def __init__(self):
            super().__init__()
            self.projections = nn.ModuleList(nn.Conv2d(2 * sum(l["channels"]), l["width"], 1, bias=False) for l in c["levels"])
            self.mixes = nn.ModuleList(Mix(sum(widths[i:])) for i in range(len(widths) - 1))
            self.keys = nn.Conv2d(total, d, c["patch"], stride=c["patch"], bias=False)
            self.queries = nn.Linear(c["text_width"], d, bias=False)
            options = dict(dim_feedforward=c["hidden_width"], dropout=0.0, batch_first=True, norm_first=True)
            self.layers = nn.ModuleList(nn.TransformerDecoderLayer(d, c["heads"], **options) for _ in range(c["layers"]))
            self.head = nn.Sequential(nn.Linear(d, d), nn.ReLU(), nn.Linear(d, d), nn.ReLU(), nn.Linear(d, total))
            self.presence = nn.Linear(d, 1)

        def forward(self, maps, entities):
            x = None
            for i in reversed(range(len(maps))):
                own = self.projections[i](torch.cat(maps[i], 1))
                size = maps[max(i - 1, 0)][0].shape[2:]
                resize = lambda t: t if t.shape[2:] == size else F.interpolate(t, size=size, mode="bilinear")
                x = resize(own) if x is None else self.mixes[i](torch.cat([resize(x), resize(own)], 1))
            memory = self.keys(x).flatten(2).transpose(1, 2)
            q = self.queries(entities)
            for layer in self.layers:
                q = layer(q, memory)
            logits = torch.einsum("nchw,nec->nehw", x, self.head(q))
            return F.interpolate(logits, size=(pixels, pixels), mode="bilinear"), self.presence(q).squeeze(-1)

    model = Module()
    maps = [[torch.randn(batch, n, side >> i, side >> i) for n in level["channels"] for _ in range(2)] for i, level in enumerate(c["levels"])]
    if arguments.channels_last:
        model = model.to(memory_format=torch.channels_last)
        maps = [[m.to(memory_format=torch.channels_last) for m in level] for level in maps]
    entities = torch.randn(batch, entity_count, c["text_width"])
    masks = (torch.randn(batch, entity_count, pixels, pixels) > 0).float()
    there = torch.ones(batch, entity_count)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=arguments.fused or None)
    seconds = []
    for step in range(arguments.steps + 2):
        start = time.perf_counter()
        optimizer.zero_grad()
        logits, presence = model(maps, entities)
        p = logits.sigmoid()
        dice = 1 - (2 * (p * masks).sum((2, 3)) + 1) / (p.sum((2, 3)) + masks.sum((2, 3)) + 1)
        loss = F.binary_cross_entropy_with_logits(logits, masks) + dice.mean()
        loss = loss + F.binary_cross_entropy_with_logits(presence, there)
        loss.backward()
        optimizer.step()
        loss.item()
        if step >= 2:
            seconds.append(time.perf_counter() - start)
    print(json.dumps({"seconds": seconds, "parameters": sum(p.numel() for p in model.parameters())}))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--fused", action="store_true", help="PyTorch's fused AdamW")
    parser.add_argument("--channels-last", action="store_true", help="PyTorch's convolutions in that order")
    parser.add_argument("--torch", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.torch:
        return run_torch(arguments)
    own, other = [], []
    for number in range(arguments.rounds):
        config = ours(arguments)
        reference = theirs(arguments, config)
        own += config["seconds"]
        other += reference["seconds"]
        print(f"round {number + 1}: triptych min {min(config['seconds']):.4f}, torch min {min(reference['seconds']):.4f}")
    print(f"parameters: triptych {config['parameters']}, torch {reference['parameters']} (its attention has biases)")
    for name, value in (("smallest", min), ("median", statistics.median)):
        print(f"{name}: triptych {value(own):.4f} s, torch {value(other):.4f} s, ratio {value(own) / value(other):.3f}")


main()
