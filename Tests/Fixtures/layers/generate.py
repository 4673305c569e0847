"""Every kind of layer: weights, inputs and outputs, from torch and diffusers.  python generate.py"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import torch
from diffusers.models.attention import FeedForward
from diffusers.models.attention_processor import Attention
from diffusers.models.embeddings import TimestepEmbedding, get_timestep_embedding
from torch import nn
from torch.nn import functional as F

from fixture_io import Case


@torch.no_grad()
def main():
    case = Case(1)
    tokens = case.input("tokens", 2, 5, 24)
    context = case.input("context", 2, 7, 20)
    image = case.input("image", 2, 12, 9, 7)
    even = case.input("even", 1, 8, 6, 10)

    case.output("linear.out", case.weights("linear", nn.Linear(24, 17))(tokens))
    case.output("linear-plain.out", case.weights("linear-plain", nn.Linear(24, 17, bias=False))(tokens))
    conv = case.weights("pointwise", nn.Conv2d(12, 10, 1))
    case.output("pointwise.out", conv(image))
    case.output("conv.out", case.weights("conv", nn.Conv2d(12, 10, 3, padding=1))(image))
    case.output("halving.out", case.weights("halving", nn.Conv2d(12, 12, 3, stride=2, padding=1))(image))
    corner = case.weights("corner", nn.Conv2d(12, 12, 3, stride=2))
    case.output("corner.out", corner(F.pad(image, (0, 1, 0, 1))))
    doubling = case.weights("doubling", nn.Conv2d(8, 6, 3, padding=1))
    case.output("doubling.out", doubling(F.interpolate(even, scale_factor=2.0, mode="nearest")))

    norm = case.weights("group-norm", nn.GroupNorm(4, 12, eps=1e-5))
    case.output("group-norm.out", norm(image))
    case.output("group-norm.silu", F.silu(norm(image)))
    case.output("layer-norm.out", case.weights("layer-norm", nn.LayerNorm(24))(tokens))
    case.integers("embedding.ids", [3, 0, 9, 3])
    embedding = case.weights("embedding", nn.Embedding(10, 6))
    case.output("embedding.out", embedding(torch.tensor([3, 0, 9, 3])))

    attend = case.weights("self-attention", Attention(query_dim=24, heads=3, dim_head=8))
    case.output("self-attention.out", attend(tokens))
    cross = case.weights(
        "cross-attention", Attention(query_dim=24, cross_attention_dim=20, heads=2, dim_head=12))
    case.output("cross-attention.out", cross(tokens, encoder_hidden_states=context))
    query = cross.head_to_batch_dim(cross.to_q(tokens))
    key = cross.head_to_batch_dim(cross.to_k(context))
    probabilities = cross.get_attention_scores(query, key)
    case.output("cross-attention.probabilities", probabilities.reshape(2, 2, 5, 7))
    case.output("feed-forward.out", case.weights("feed-forward", FeedForward(24))(tokens))

    times = torch.tensor([0, 1, 17, 500, 981, 999])
    case.integers("times", times)
    for name, width, first, shift in [
        ("cosines-first", 32, True, 0), ("sines-first", 32, False, 1), ("odd", 33, True, 0),
        ("wide", 320, True, 0),
    ]:
        case.output(f"sinusoids.{name}", get_timestep_embedding(times, width, first, shift))
    embed = case.weights("time", TimestepEmbedding(32, 48))
    case.output("time.out", embed(get_timestep_embedding(times, 32, True, 0)))
    case.save(HERE / "layers.safetensors")


if __name__ == "__main__":
    main()
