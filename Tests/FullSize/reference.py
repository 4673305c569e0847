"""Runs diffusers on a full-size model folder and stores what went in and came out.

    python reference.py FOLDER OUTPUT.safetensors [--size 512] [--steps 10] [--parts text,unet,decode,encode,loop]

FOLDER is one that make_models.py made, or any Stable Diffusion 1 or 2 folder. Everything is float32 on the CPU.
Feature maps are stored N C H W. The file's `notes` hold the versions, the folder's name and the settings.

    text.ids           [2, 77]      text.out     [2, 77, D]
    unet.latents       [2, 4, h, w] unet.time    [1]         unet.text [2, 77, D]   unet.out [2, 4, h, w]
    decode.latents     [1, 4, h, w] decode.out   [1, 3, H, W]  (latents not divided by the scale)
    encode.image       [1, 3, H, W] encode.mean, encode.log-variance [1, 4, h, w]
    loop.noise         [1, 4, h, w] loop.text, loop.unconditional [1, 77, D]
    loop.steps         [steps, 1, 4, h, w]       loop.image [1, H, W, 3] bytes

The loop is DDIM with the folder's own noise schedule, guidance 7.5.
"""

import argparse
import json
from pathlib import Path

import diffusers
import torch
import transformers
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextModel


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--size", type=int, default=512, help="side of the image in pixels")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--guidance", type=float, default=7.5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--parts", default="text,unet,decode,encode,loop")
    return parser.parse_args()


def encode_text(folder, kept, generator):
    model = CLIPTextModel.from_pretrained(folder / "text_encoder", torch_dtype=torch.float32).eval()
    config = model.config
    # Two sentences of random tokens between the marks: one short, one that fills the window.
    ids = torch.full((2, config.max_position_embeddings), config.eos_token_id)
    ids[:, 0] = config.bos_token_id
    for row, length in enumerate([7, config.max_position_embeddings - 2]):
        ids[row, 1 : 1 + length] = torch.randint(0, config.bos_token_id, (length,), generator=generator)
    kept["text.ids"] = ids.int()
    kept["text.out"] = model(ids)[0]
    return kept["text.out"]


def predict(unet, text, kept, generator, side):
    latents = torch.randn(2, unet.config.in_channels, side, side, generator=generator)
    kept["unet.latents"], kept["unet.time"], kept["unet.text"] = latents, torch.tensor([481]).int(), text
    kept["unet.out"] = unet(latents, 481, encoder_hidden_states=text).sample


def sample(unet, vae, folder, text, kept, generator, side, steps, guidance):
    scheduler = DDIMScheduler.from_pretrained(folder / "scheduler", clip_sample=False)
    scheduler.set_timesteps(steps)
    latents = torch.randn(1, unet.config.in_channels, side, side, generator=generator)
    kept["loop.noise"] = latents
    kept["loop.unconditional"], kept["loop.text"] = text[:1], text[1:]
    trail = []
    for time in scheduler.timesteps:
        without, with_text = unet(
            torch.cat([latents, latents]), time, encoder_hidden_states=text
        ).sample.chunk(2)
        guided = without + guidance * (with_text - without)
        latents = scheduler.step(guided, time, latents).prev_sample
        trail.append(latents)
    kept["loop.steps"] = torch.stack(trail)
    image = vae.decode(latents / vae.config.scaling_factor).sample
    image = (image / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1)
    kept["loop.image"] = (image * 255).round().to(torch.uint8)


@torch.no_grad()
def main():
    options = arguments()
    parts = options.parts.split(",")
    torch.set_num_threads(options.threads)
    generator = torch.Generator().manual_seed(20)
    kept, folder = {}, options.folder
    text = encode_text(folder, kept, generator)
    vae = AutoencoderKL.from_pretrained(folder / "vae", torch_dtype=torch.float32).eval()
    side = options.size // 2 ** (len(vae.config.block_out_channels) - 1)
    if "encode" in parts:
        image = 2 * torch.rand(1, 3, options.size, options.size, generator=generator) - 1
        distribution = vae.encode(image).latent_dist
        kept["encode.image"] = image
        kept["encode.mean"], kept["encode.log-variance"] = distribution.mean, distribution.logvar
    if "decode" in parts:
        latents = torch.randn(1, vae.config.latent_channels, side, side, generator=generator)
        kept["decode.latents"], kept["decode.out"] = latents, vae.decode(latents).sample
    if "unet" in parts or "loop" in parts:
        unet = UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=torch.float32).eval()
        if "unet" in parts:
            predict(unet, text, kept, generator, side)
        if "loop" in parts:
            sample(unet, vae, folder, text, kept, generator, side, options.steps, options.guidance)
    notes = dict(
        torch=torch.__version__, diffusers=diffusers.__version__, transformers=transformers.__version__,
        folder=folder.name, size=str(options.size), steps=str(options.steps),
        guidance=str(options.guidance),
    )
    # Inputs are kept apart from each other: the file format refuses shared memory.
    tensors = {name: value.contiguous().clone() for name, value in kept.items()}
    save_file(tensors, options.output, metadata={"notes": json.dumps(notes)})
    for name, value in tensors.items():
        low, high = value.float().min(), value.float().max()
        print(f"{name:22} {tuple(value.shape)} {low:.4f}...{high:.4f}")


if __name__ == "__main__":
    main()
