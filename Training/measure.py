"""Measures a trained model against the world it was trained on.

    python3 measure.py --world world.npz --model MODEL --classifier judge.pt --minutes 20 --out figures.json --pairs pairs.png

A classifier is trained on composed training scenes for --minutes, and kept: the same judges every model. Printed and written:
  how often it is right on held-out composed scenes, which is the ceiling of all that follows;
  how often it recognises the prompted thing in samples of one object, and both in samples of two;
  the Fréchet distance, in its feature space, of samples to composed scenes, beside that of a second composed set;
  PSNR of the autoencoder on held-out scenes;
  how near samples come to training scenes, beside held-out scenes: copies would be much nearer. --pairs shows the ten
  nearest samples above their neighbours.
--steps 8,12,25 measures samples of each number of steps.
"""

import argparse
import json
import pathlib
import subprocess
import tempfile

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image

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
    names, order = world.names, rng.permutation(world.drawn)
    wanted, prompts = [], []
    for i in range(count):
        own = [int(order[(i + k * (i // len(order) + 1)) % len(order)]) for k in range(objects)]
        place = world.scenes[world.places[rng.integers(len(world.places))]]
        wanted.append(sorted(set(own)))
        prompts.append(f"a photo of {scenes.phrase([names[category] for category in own])} {place}")
    return wanted, prompts


def generated(prompts, steps, options):
    """Pictures [n, 3, size, size] from −1 to 1, made by Triptych as its users get them."""
    with tempfile.TemporaryDirectory() as folder:
        named = [part for prompt in prompts for part in ("--prompt", prompt)]
        subprocess.run(
            [options.triptych, "generate", "--model", options.model, "--no-masks", "--batch", "8", "--steps", str(steps),
             "--guidance", str(options.guidance), "--seed", str(options.seed), *named, "--output", f"{folder}/run"],
            check=True)
        files = sorted(pathlib.Path(folder, "run").glob("shards/*/images/*.png"))
        pictures = [np.asarray(Image.open(file).convert("RGB")) for file in files]
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


@torch.no_grad()
def sampled(pipeline, prompts, steps, guidance, seed, batch=32):
    """The same by diffusers."""
    generator = torch.Generator("cpu").manual_seed(seed)
    out = []
    for i in range(0, len(prompts), batch):
        made = pipeline(
            prompts[i:i + batch], num_inference_steps=steps, guidance_scale=guidance, generator=generator,
            output_type="pt").images
        out.append(made.float() * 2 - 1)
        print(f"{min(i + batch, len(prompts))} of {len(prompts)} samples of {steps} steps", flush=True)
    return torch.cat(out)


@torch.no_grad()
def psnr(vae, pictures):
    parts = [vae.decode(vae.encode(x).latent_dist.mean).sample.clamp(-1, 1) for x in pictures.split(16)]
    return float(10 * torch.log10(4 / (torch.cat(parts) - pictures).square().mean()))


class Measurement:
    """What all samples are compared with: the classifier, composed scenes, and its features of both."""

    def __init__(self, options, pipeline, device):
        self.options, self.pipeline, self.size = options, pipeline, pipeline.vae.config.sample_size
        self.training, self.held_out = (self._world(subset, device) for subset in ("train", "test"))
        self.network = classifier.kept(options.classifier, self.training, options.minutes, device)
        self.reference, _ = composed(self.training, options.count, self.size, seed=21)
        _, self.features = classifier.apply(self.network, self.reference)

    def _world(self, subset, device):
        world = scenes.load(self.options.world, device, subset)
        return scenes.restricted(world, self.options.classes) if self.options.classes else world

    def of_the_world(self):
        """What no samples are needed for."""
        count, size = self.options.count, self.size
        _, second = classifier.apply(self.network, composed(self.training, count, size, seed=22)[0])
        figures = {"frechet_second_composed": distance.frechet(second, self.features)}
        for objects, name in ((1, "one"), (2, "two")):
            pictures, shown = composed(self.held_out, count, size, seed=30 + objects, objects=objects)
            logits, features = classifier.apply(self.network, pictures)
            figures[f"held_out_{name}"] = classifier.recognised(logits, shown)
            figures[f"nearest_held_out_{name}"] = float(distance.nearest(features, self.features)[0].median())
        figures["psnr"] = psnr(self.pipeline.vae, composed(self.held_out, 64, size, seed=33)[0])
        return figures

    def of_samples(self, steps):
        """Samples of so many steps; the prompts are the same for every number."""
        options, rng, figures = self.options, np.random.default_rng(self.options.seed), {}
        for objects, name in ((1, "one"), (2, "two")):
            wanted, prompts = prompted(self.training, options.count, objects, rng)
            if options.triptych:
                pictures = generated(prompts, steps, options)
            else:
                pictures = sampled(self.pipeline, prompts, steps, options.guidance, options.seed)
            logits, features = classifier.apply(self.network, pictures)
            figures[f"recognised_{name}"] = classifier.recognised(logits, wanted)
            figures[f"frechet_{name}"] = distance.frechet(features, self.features)
            near, places = distance.nearest(features, self.features)
            figures[f"nearest_{name}"] = float(near.median())
            if objects == 1:
                figures["recognised_each"] = self._each(logits, wanted)
                if options.pairs:
                    closest = near.argsort()[:10]
                    pairs = [pictures[closest].cpu(), self.reference[places[closest]].cpu()]
                    write_sheet(torch.cat(pairs), options.pairs, columns=10)
        return figures

    def _each(self, logits, wanted):
        """Name to the share of its samples that are recognised."""
        places = {}
        for i, own in enumerate(wanted):
            places.setdefault(self.training.names[own[0]], []).append(i)
        return {
            name: classifier.recognised(logits[own], [wanted[i] for i in own]) for name, own in sorted(places.items())
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--world", required=True)
    parser.add_argument("--model", required=True, help="diffusers folder")
    parser.add_argument("--classes", help="categories to measure, as in pretrain.py (default: all of the world)")
    parser.add_argument("--classifier", required=True, help="file of the classifier, trained and written if it is missing")
    parser.add_argument("--minutes", type=float, default=20, help="of the classifier's training")
    parser.add_argument("--count", type=int, default=1000, help="samples of each kind")
    parser.add_argument("--steps", help="of sampling, several with commas (default: sampling_defaults.json)")
    parser.add_argument("--guidance", type=float)
    parser.add_argument("--triptych", help="the program, which then makes the samples (default: diffusers makes them)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", required=True, help="figures as JSON")
    parser.add_argument("--pairs", help="picture of the samples nearest to training scenes")
    options = parser.parse_args()
    model, usual = pathlib.Path(options.model), {"steps": 25, "guidance": 4}
    own = model / "sampling_defaults.json"
    defaults = json.loads(own.read_text()) if own.exists() else usual
    options.guidance = options.guidance or defaults["guidance"]
    steps = [int(part) for part in (options.steps or str(defaults["steps"])).split(",")]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    pipeline = StableDiffusionPipeline.from_pretrained(model, torch_dtype=torch.float32).to(device)
    measurement = Measurement(options, pipeline, device)
    figures = {"guidance": options.guidance, "samples": options.count, **measurement.of_the_world(), "steps": {}}
    for number in steps:
        figures["steps"][number] = measurement.of_samples(number)
        pathlib.Path(options.out).write_text(json.dumps(figures, indent=1))
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
