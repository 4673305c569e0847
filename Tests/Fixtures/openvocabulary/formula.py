"""Tensors by formula, as Tests/TestSupport/Formula.swift states it."""

import math

import numpy
import torch

MASK = (1 << 64) - 1
# Centre and spread; the spread of a weight follows from its inputs.
KINDS = {"bias": (0, 0.1), "norm": (1, 0.1), "variance": (1, 0.2), "mean": (0, 0.2), "input": (0, 1)}
INPUTS = ("cls_token", "pos_embed", "class_embedding", "positional_embedding", "token_embedding.weight")


def tensor(name, shape, kind, seed):
    state = 0xCBF29CE484222325
    for byte in name.encode():
        state = (state ^ byte) * 0x100000001B3 & MASK
    count = math.prod(shape)
    with numpy.errstate(over="ignore"):
        z = numpy.uint64((state + seed * 0x9E3779B97F4A7C15) & MASK)
        z = z + numpy.arange(1, count + 1, dtype=numpy.uint64) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ z >> numpy.uint64(30)) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ z >> numpy.uint64(27)) * numpy.uint64(0x94D049BB133111EB)
        z = z ^ z >> numpy.uint64(31)
    u = ((z >> numpy.uint64(40)).astype(numpy.float64) / (1 << 24)).astype(numpy.float32).reshape(shape)
    centre, spread = KINDS.get(kind) or (0, math.sqrt(3 / math.prod(shape[1:])))
    return torch.from_numpy(numpy.float32(centre) + numpy.float32(spread) * (2 * u - 1))


def kind(key, rank):
    if key.endswith("num_batches_tracked") or rank == 0:
        return None
    for end, name in {"running_mean": "mean", "running_var": "variance", **dict.fromkeys(INPUTS, "input")}.items():
        if key.endswith(end):
            return name
    return "weight" if rank > 1 else "bias" if key.endswith("bias") else "norm"


def fill(module, seed):
    """Fills every tensor of a module; returns the shapes by key."""
    state = module.state_dict()
    for key, value in state.items():
        if name := kind(key, value.dim()):
            value.copy_(tensor(key, tuple(value.shape), name, seed))
    return {key: list(value.shape) for key, value in state.items()}
