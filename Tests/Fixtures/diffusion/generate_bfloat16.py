"""What the tiny U-Nets predict in PyTorch's bfloat16: `bfloat16.safetensors`.

    python generate_bfloat16.py

Inputs are those of `unet-tiny-*.safetensors` (`square.…`). Weights and activations are bfloat16 throughout, as
`torch_dtype=torch.bfloat16` makes them. `{sd1|sd2}.out` [n, 4, h, w]. oneDNN's tile instructions stay unused, so that any
processor with AVX-512 gives the same.
"""

import os

os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_BF16")

from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file, save_file

HERE = Path(__file__).parent


@torch.no_grad()
def predict(name):
    variant = "fp16" if name == "sd2" else None
    unet = UNet2DConditionModel.from_pretrained(HERE / f"tiny-{name}/unet", variant=variant)
    given = load_file(HERE / f"unet-tiny-{name}.safetensors")
    unet = unet.eval().to(torch.bfloat16)
    found = unet(
        given["square.latents"].bfloat16(), given["square.times"],
        encoder_hidden_states=given["square.text"].bfloat16(),
    ).sample.float()
    exact = given["square.prediction"].float()
    print(f"{name}: {(found - exact).norm() / exact.norm():.4f} of the norm,",
          f"{(found - exact).abs().max() / (exact.max() - exact.min()):.4f} of the range")
    return found


save_file({f"{name}.out": predict(name) for name in ("sd1", "sd2")}, HERE / "bfloat16.safetensors")
