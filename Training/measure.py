"""Measures a trained model against the world it was trained on.

    python3 measure.py --world world.npz --model MODEL --minutes 20 --out figures.json --pairs pairs.png

A classifier is trained on composed training scenes for --minutes. Printed and written:
  how often it is right on held-out composed scenes, which is the ceiling of all that follows;
  how often it recognises the prompted thing in samples of one object, and both in samples of two;
  the Fréchet distance, in its feature space, of samples to composed scenes, beside that of a second composed set;
  PSNR of the autoencoder on held-out scenes;
  how near samples come to training scenes, beside held-out scenes: copies would be much nearer. --pairs shows the ten
  nearest samples above their neighbours.
"""

import argparse
import json
import pathlib

import numpy as np
import torch
from diffusers import StableDiffusionPipeline

import scenes
from pretraining.results import write_sheet
from quality import classifier, distance


def composed(world, count, size, seed, objects=None):
    """Scenes, with so many objects where that is said: pictures and, for each, the categories it shows."""
    rng = np.random.default_rng(seed)
    pictures, shown = [], []
    while len(shown) < count:
        made = scenes.compose(world, 64, size, rng, max_objects=objects or 3)
        for picture, row in zip(made.images, made.classes.tolist()):
            own = [category for category in row if category >= 0]
            if objects in (None, len(own)):
                pictures.append(picture)
                shown.append(own)
    return torch.stack(pictures[:count]), shown[:count]


def prompted(world, count, objects, rng):
    """Categories in turn, and prompts that name them in a place of the world."""
    names, order = world.names, rng.permutation(len(world.names))
    wanted, prompts = [], []
    for i in range(count):
        own = [int(order[(i + k * (i // len(order) + 1)) % len(order)]) for k in range(objects)]
        place = world.scenes[world.places[rng.integers(len(world.places))]]
        wanted.append(sorted(set(own)))
        prompts.append(f"a photo of {scenes.phrase([names[category] for category in own])} {place}")
    return wanted, prompts


@torch.no_grad()
def sampled(pipeline, prompts, options, batch=32):
    """Pictures [n, 3, size, size] from −1 to 1."""
    generator = torch.Generator("cpu").manual_seed(options.seed)
    out = []
    for i in range(0, len(prompts), batch):
        made = pipeline(
            prompts[i:i + batch], num_inference_steps=options.steps, guidance_scale=options.guidance, generator=generator,
            output_type="pt").images
        out.append(made.float() * 2 - 1)
        print(f"{min(i + batch, len(prompts))} of {len(prompts)} samples", flush=True)
    return torch.cat(out)


@torch.no_grad()
def psnr(vae, pictures):
    parts = [vae.decode(vae.encode(x).latent_dist.mean).sample.clamp(-1, 1) for x in pictures.split(16)]
    return float(10 * torch.log10(4 / (torch.cat(parts) - pictures).square().mean()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--world", required=True)
    parser.add_argument("--model", required=True, help="diffusers folder")
    parser.add_argument("--minutes", type=float, default=20, help="of the classifier's training")
    parser.add_argument("--count", type=int, default=1000, help="samples of each kind")
    parser.add_argument("--steps", type=int, help="of sampling (default: sampling_defaults.json)")
    parser.add_argument("--guidance", type=float)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", required=True, help="figures as JSON")
    parser.add_argument("--pairs", help="picture of the samples nearest to training scenes")
    options = parser.parse_args()
    model = pathlib.Path(options.model)
    defaults = json.loads((model / "sampling_defaults.json").read_text())
    options.steps = options.steps or defaults["steps"]
    options.guidance = options.guidance or defaults["guidance"]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    training, held_out = (scenes.load(options.world, device, subset) for subset in ("train", "test"))
    pipeline = StableDiffusionPipeline.from_pretrained(model, torch_dtype=torch.float32).to(device)
    size = pipeline.vae.config.sample_size
    rng = np.random.default_rng(options.seed)
    network = classifier.train(training, size, options.minutes, device)

    figures = {"steps": options.steps, "guidance": options.guidance, "samples": options.count}
    reference, _ = composed(training, options.count, size, seed=21)
    _, features = classifier.apply(network, reference)
    _, second = classifier.apply(network, composed(training, options.count, size, seed=22)[0])
    figures["frechet_second_composed"] = distance.frechet(second, features)
    tests = {}
    for objects, name in ((1, "one"), (2, "two")):
        pictures, shown = composed(held_out, options.count, size, seed=30 + objects, objects=objects)
        tests[name] = classifier.apply(network, pictures)
        figures[f"held_out_{name}"] = classifier.recognised(tests[name][0], shown)
    figures["psnr"] = psnr(pipeline.vae, composed(held_out, 64, size, seed=33)[0])
    for objects, name in ((1, "one"), (2, "two")):
        wanted, prompts = prompted(training, options.count, objects, rng)
        pictures = sampled(pipeline, prompts, options)
        logits, own = classifier.apply(network, pictures)
        figures[f"recognised_{name}"] = classifier.recognised(logits, wanted)
        figures[f"frechet_{name}"] = distance.frechet(own, features)
        near, places = distance.nearest(own, features)
        figures[f"nearest_{name}"] = float(near.median())
        figures[f"nearest_held_out_{name}"] = float(distance.nearest(tests[name][1], features)[0].median())
        if options.pairs and objects == 1:
            closest = near.argsort()[:10]
            write_sheet(torch.cat([pictures[closest].cpu(), reference[places[closest]].cpu()]), options.pairs, columns=10)
    pathlib.Path(options.out).write_text(json.dumps(figures, indent=1))
    for name, value in figures.items():
        print(f"{name:26} {value:.4g}")


if __name__ == "__main__":
    main()
