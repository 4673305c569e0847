"""DDIM inversion in every setting, and round trips of pictures through the tiny models.

    python generate_inversion.py

Reads tiny-sd1 and tiny-sd2 (see make_tiny.py).

    python generate_inversion.py MODEL_FOLDER IMAGE PROMPT STEPS OUTPUT

does the round trip of one picture of the model's size with any model, for comparing by hand.
"""

import itertools
import json
import sys
import warnings
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import numpy as np
import torch
from diffusers import DDIMInverseScheduler, DDIMScheduler, StableDiffusionPipeline
from PIL import Image

from fixture_io import Case
from generate_sampling import BASE, model

STEPS = 10
# A random network, asked a hundred times about latents of deviation 0.06, enlarges rounding: in single and in double
# precision the reference itself is then 1e-3 of the range apart. With its last layer made weaker by this factor, which
# costs no bit, it is 3e-5.
DAMPING = 0.0625


def inverse(settings, count):
    """A planned inverse scheduler; it refuses the linspace spacing, so that one takes the sampler's steps reversed."""
    spacing = settings["timestep_spacing"]
    made = DDIMInverseScheduler(**BASE, **{**settings, "timestep_spacing": "leading" if spacing == "linspace" else spacing})
    made.set_timesteps(count)
    if spacing == "linspace":
        sampler = DDIMScheduler(**BASE, **settings)
        sampler.set_timesteps(count)
        made.timesteps = sampler.timesteps.flip(0)
    return made


def loops():
    case = Case(21)
    x0 = case.input("x", 2, 2, 2, 1)
    first, second = case.input("first", 2, 2, 2, 1), case.input("second", 2, 2, 2, 1)
    kept, results = [], []
    for spacing, prediction, clip, one, rescaled, offset, count in itertools.product(
            ["leading", "trailing", "linspace"], ["epsilon", "v_prediction", "sample"], [None, 0.75],
            [False, True], [False, True], [0, 1], [STEPS, 50]):
        if prediction == "sample" and one:
            continue  # no noise at the start: zero divided by zero, there as here
        settings = dict(
            timestep_spacing=spacing, prediction_type=prediction, clip_sample=clip is not None,
            clip_sample_range=clip or 1.0, set_alpha_to_one=one, rescale_betas_zero_snr=rescaled,
            steps_offset=offset)
        made = inverse(settings, count)
        x, steps = x0, []
        for t in made.timesteps.tolist():
            without, with_text = model(x, t, first, second)
            x = made.step(without + 3.0 * (with_text - without), t, x).prev_sample
            steps.append(x)
        kept.append({**settings, "steps": count, "clip": clip})
        results.append(torch.stack([steps[0], steps[1], steps[-1]]))
    assert all(torch.isfinite(r).all() for r in results)
    case.output("results", torch.stack(results))
    case.save(HERE / "inversion.safetensors", settings=json.dumps(kept))


def there_and_back(pipe, pixels, prompt, steps):
    """Encodes, inverts, and samples from the result without guidance, as diffusers does it."""
    ids = pipe.tokenizer(
        [prompt], padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
    text = pipe.text_encoder(ids)[0]
    image = pipe.image_processor.preprocess(Image.fromarray(pixels))
    encoded = pipe.vae.encode(image).latent_dist.mode() * pipe.vae.config.scaling_factor
    back = DDIMInverseScheduler.from_config(pipe.scheduler.config)
    back.set_timesteps(steps)
    latents = encoded
    for t in back.timesteps:
        latents = back.step(pipe.unet(latents, t, encoder_hidden_states=text).sample, t, latents).prev_sample
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
    end = pipe(
        prompt_embeds=text, latents=latents, height=pixels.shape[0], width=pixels.shape[1],
        num_inference_steps=steps, guidance_scale=1.0, output_type="latent").images
    picture = pipe(
        prompt_embeds=text, latents=latents, height=pixels.shape[0], width=pixels.shape[1],
        num_inference_steps=steps, guidance_scale=1.0, output_type="np").images[0]
    return encoded, latents, end, (picture * 255).round().astype("uint8")


def load(folder, variant=None):
    pipe = StableDiffusionPipeline.from_pretrained(
        folder, variant=variant, torch_dtype=torch.float32, safety_checker=None)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def picture(width, height):
    y, x = np.mgrid[0:height, 0:width]
    waves = [128 + 100 * np.sin(x / (5 + 2 * c) + c) * np.cos(y / (7 + c)) for c in range(3)]
    disc = (x - width / 2) ** 2 + (y - height / 2) ** 2 < (height / 3) ** 2
    return (np.stack(waves, -1) * 0.7 + disc[..., None] * [70, 20, 0]).clip(0, 255).astype(np.uint8)


def round_trips():
    for kind, (prompt, width, height) in {
            "tiny-sd1": ("a photo of a red chair", 64, 48), "tiny-sd2": ("a small house", 48, 64)}.items():
        pipe = load(HERE / kind, "fp16" if kind == "tiny-sd2" else None)
        for parameter in pipe.unet.conv_out.parameters():
            parameter.mul_(DAMPING)
        case = Case(22)
        pixels = picture(width, height)
        encoded, latents, end, image = there_and_back(pipe, pixels, prompt, 50)
        case.tensors["pixels"] = torch.from_numpy(pixels)
        case.tensors["image"] = torch.from_numpy(image)
        for name, value in dict(encoded=encoded, inverted=latents, sampled=end).items():
            case.output(name, value)
            print(kind, name, value.std().item())
        case.save(HERE / f"round-trip-{kind}.safetensors", plan=json.dumps(dict(prompt=prompt, steps=50, damping=DAMPING)))


def by_hand(folder, image, prompt, steps, output):
    case = Case(0)
    pixels = np.asarray(Image.open(image).convert("RGB"))
    encoded, latents, end, image = there_and_back(load(folder), pixels, prompt, int(steps))
    for name, value in dict(encoded=encoded, inverted=latents, sampled=end).items():
        case.output(name, value)
    case.tensors["image"] = torch.from_numpy(image)
    case.save(Path(output))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with torch.no_grad():
        if len(sys.argv) > 1:
            by_hand(*sys.argv[1:])
        else:
            loops()
            round_trips()
