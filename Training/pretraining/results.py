"""What comes out of a training: the diffusers folder, and sheets to look at."""

import json
import pathlib

import numpy as np
import torch
from diffusers import DDIMScheduler
from PIL import Image

import scenes

from .networks import SCHEDULE

INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "feature_extractor": [None, None],
    "requires_safety_checker": False,
    "safety_checker": [None, None],
    "scheduler": ["diffusers", "DDIMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}


def write_sheet(pictures, path, columns=8):
    """Pictures [n, 3, h, w] from −1 to 1 as rows of one."""
    rows = [torch.cat(list(pictures[i:i + columns]), 2) for i in range(0, len(pictures), columns)]
    sheet = (torch.cat(rows, 1).permute(1, 2, 0) + 1) * 127.5
    Image.fromarray(sheet.clamp(0, 255).byte().cpu().numpy()).save(path)


@torch.no_grad()
def reconstructions(session):
    """Rows of scenes, each above what the autoencoder makes of it."""
    x = scenes.compose(session.world, 16, session.size, np.random.default_rng(7)).images
    y = session.vae.decode(session.vae.encode(x).latent_dist.mean).sample.clamp(-1, 1)
    write_sheet(torch.cat([x[:8], y[:8], x[8:], y[8:]]), session.options.out)


@torch.no_grad()
def samples(session, count=40):
    """Pictures of the averaged weights for the world's own prompts, which are printed."""
    session.use_averages()
    options, device = session.options, session.device
    schedule = DDIMScheduler(**SCHEDULE)
    schedule.set_timesteps(options.steps)
    prompts = scenes.compose(session.world, count, 32, np.random.default_rng(5)).prompts
    generator = torch.Generator(device).manual_seed(0)
    channels, side = session.preset["vae"]["latent_channels"], session.size // 8
    z = torch.randn(count, channels, side, side, generator=generator, device=device)
    with session.cast:
        tokens = session.tokenizer(prompts + [""] * count).to(device)
        words = session.text(input_ids=tokens).last_hidden_state
        for t in schedule.timesteps:
            with_text, without = session.unet(torch.cat([z, z]), t, encoder_hidden_states=words).sample.float().chunk(2)
            z = schedule.step(without + options.guidance * (with_text - without), t, z).prev_sample
        z = z / session.latent_scale
        pictures = torch.cat([session.vae.decode(z[i:i + 8]).sample.float() for i in range(0, count, 8)])
    write_sheet(pictures.clamp(-1, 1), options.out)
    for i in range(0, count, 8):
        print(" | ".join(prompts[i:i + 8]))


def export(session):
    """Writes the averaged weights in float16, in the layout of a Stable Diffusion folder."""
    session.use_averages()
    out, shard = pathlib.Path(session.options.out), f"{session.options.shard_mb}MB"
    session.vae.register_to_config(scaling_factor=session.latent_scale)
    for name, network in (("vae", session.vae), ("unet", session.unet), ("text_encoder", session.text)):
        network.half().save_pretrained(out / name, max_shard_size=shard)
    DDIMScheduler(**SCHEDULE).save_pretrained(out / "scheduler")
    (out / "tokenizer").mkdir(exist_ok=True)
    for file in (session.work / "tokenizer").iterdir():
        (out / "tokenizer" / file.name).write_bytes(file.read_bytes())
    (out / "model_index.json").write_text(json.dumps(INDEX, indent=2))
    for network in (session.vae, session.text, session.unet):
        count = sum(parameter.numel() for parameter in network.parameters())
        print(f"{type(network).__name__} {count / 1e6:.2f} M parameters")
