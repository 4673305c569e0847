"""Composes scenes of the object world on any torch device: images, visible masks, category ids, prompts.

    python3 scenes.py world.npz sheet.png [train|test]     # a contact sheet
"""

import dataclasses
import io
import sys

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

TEMPLATES = [
    "a photo of {}", "a photograph of {}", "a picture of {}", "an image of {}", "{}", "a good photo of {}",
    "a close-up photo of {}", "a photo of {} in a scene",
]

# How often a scene shows one, two and three objects.
OBJECT_SHARES = [0.55, 0.33, 0.12]


@dataclasses.dataclass
class World:
    cutouts: torch.Tensor  # [N, 4, S, S] uint8, colour premultiplied
    names: list  # of the categories
    backgrounds: torch.Tensor  # [M, 3, B, B] uint8
    scenes: list  # the words for each background
    places: list  # numbers of the backgrounds in use
    things: list  # per category a list of things, each a list of cut-out numbers (its views)
    novel: list  # per category: are these things and views unknown to training? (subset "test" only)
    shares: np.ndarray | None = None  # how often each category is drawn, together 1; none: all alike

    @property
    def drawn(self):
        """Numbers of the categories that scenes show."""
        return np.arange(len(self.names)) if self.shares is None else np.flatnonzero(self.shares)


@dataclasses.dataclass
class Scenes:
    images: torch.Tensor  # float [B, 3, size, size] in [-1, 1]
    masks: torch.Tensor  # bool [B, K, size, size], the visible part of each object; all False where absent
    classes: torch.Tensor  # int [B, K], -1 where absent
    prompts: list


def load(path, device="cpu", subset="train"):
    """A pack made by world/build.py.

    "train" leaves out what was held out; "test" takes nothing else, but for a category without anything held out (a single
    photograph) it takes the training cut-outs: only scene, place and company are new then.
    """
    pack = np.load(path)
    rgba = np.stack(_pictures(pack["webp"], pack["offsets"], "RGBA"))
    rgba[..., :3] = (rgba[..., :3].astype(np.uint16) * rgba[..., 3:] + 127) // 255
    backgrounds = np.stack(_pictures(pack["bg_webp"], pack["bg_offsets"], "RGB"))
    names = [str(name) for name in pack["names"]]
    train, test = (_things(pack, len(names), held) for held in (False, True))
    is_test = subset == "test"
    return World(
        cutouts=_planes(rgba, device), names=names, backgrounds=_planes(backgrounds, device),
        scenes=[str(scene) for scene in pack["scenes"]],
        places=[number for number, held in enumerate(pack["bg_held"]) if held == is_test],
        things=[b or a for a, b in zip(train, test)] if is_test else train,
        novel=[is_test and bool(b) for b in test])


def restricted(world, classes):
    """The world drawing only from categories written as "dog:3, cat": names, each with a weight where that is not 1."""
    weights = np.zeros(len(world.names))
    for entry in classes.split(","):
        name, _, weight = entry.strip().partition(":")
        if name not in world.names:
            raise SystemExit(f"--classes: the world has no '{name}'")
        weights[world.names.index(name)] = float(weight or 1)
    return dataclasses.replace(world, shares=weights / weights.sum())


def _pictures(blob, offsets, mode):
    return [
        np.asarray(Image.open(io.BytesIO(blob[first:last].tobytes())).convert(mode))
        for first, last in zip(offsets, offsets[1:])
    ]


def _planes(pictures, device):
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous().to(device)


def _things(pack, count, held):
    """Per category the things that are held out, or those that are not."""
    things = [{} for _ in range(count)]
    for number, (category, model, is_held) in enumerate(zip(pack["category"], pack["model"], pack["held"])):
        if is_held == held:
            things[category].setdefault(int(model), []).append(number)
    return [list(group.values()) for group in things]


def compose(world, batch, size, rng=None, max_objects=3):
    """Scenes that depend on nothing but the world and the numpy generator.

    Every draw is made for a whole batch, in the order of this file: a change of that order changes every scene.
    """
    rng = rng or np.random.default_rng()
    places, image = _backgrounds(world, batch, size, rng)
    counts = np.minimum(rng.choice([1, 2, 3], size=batch, p=OBJECT_SHARES), max_objects)
    masks = torch.zeros(batch, max_objects, size, size, dtype=torch.bool, device=image.device)
    classes = np.full((batch, max_objects), -1)
    for slot in range(max_objects):
        present = counts > slot
        categories = _categories(world, classes[:, :slot], present, rng)
        chosen = np.array([_cutout(world, category, rng) for category in categories])
        rgba = _placed(world, chosen, counts, slot, size, rng)
        rgba = rgba * torch.from_numpy(present.astype(np.float32)).to(image.device)[:, None, None, None]
        image = _pasted(image, rgba, rng)
        solid = rgba[:, 3] > 0.5
        masks[:, :slot] &= ~solid[:, None]
        masks[:, slot] = solid
        classes[:, slot] = np.where(present, categories, -1)
    prompts = [_prompt(world, row, place, rng) for row, place in zip(classes, places)]
    return Scenes(image.clamp(0, 1) * 2 - 1, masks, torch.from_numpy(classes), prompts)


def _backgrounds(world, batch, size, rng):
    """A random crop of each, flipped half of the time, a little darker or brighter."""
    places = np.asarray(world.places)[rng.integers(len(world.places), size=batch)]
    zoom = rng.uniform(0.35, 0.95, batch)
    room = 1 - zoom
    x, y = (-rng.uniform(-1, 1, batch) * room / zoom for _ in range(2))
    grid = _affine(1 / zoom, x, y, np.zeros(batch), rng.choice([-1.0, 1.0], batch))
    pictures = world.backgrounds[_indices(places, world)].float() / 255
    image = _sampled(pictures, grid, size, "reflection")
    return places, image * _column(rng.uniform(0.8, 1.15, (batch, 1, 1, 1)), image)


def _categories(world, taken, present, rng):
    """One for each scene, none twice in one."""
    def draw(**size):
        if world.shares is None:
            return rng.integers(len(world.names), **size)
        return rng.choice(len(world.names), p=world.shares, **size)

    categories = draw(size=len(taken))
    for i in range(len(taken)):
        while present[i] and categories[i] in taken[i]:
            categories[i] = draw()
    return categories


def _cutout(world, category, rng):
    thing = world.things[category][rng.integers(len(world.things[category]))]
    return thing[rng.integers(len(thing))]


def _placed(world, chosen, counts, slot, size, rng):
    """The cut-outs turned, sized and put side by side with some overlap [B, 4, size, size]."""
    batch = len(chosen)
    low = np.where(counts == 1, 0.45, 0.32)
    high = np.where(counts == 1, 0.92, np.where(counts == 2, 0.62, 0.48))
    scale = rng.uniform(low, high)
    centre = np.where(counts == 1, 0.0, np.where(counts == 2, (slot - 0.5) * 0.95, (slot - 1) * 0.66))
    shift = rng.uniform(-0.22, 0.22, batch) * (1.3 - scale)
    x = np.clip(centre + shift, -1 + scale * 0.7, 1 - scale * 0.7)
    y = np.clip(rng.uniform(-0.35, 0.5, batch) * (1.25 - scale), -1 + scale * 0.75, 1 - scale * 0.75)
    grid = _affine(scale, x, y, rng.uniform(-0.2, 0.2, batch), rng.choice([-1.0, 1.0], batch))
    return _sampled(world.cutouts[_indices(chosen, world)].float() / 255, grid, size, "zeros")


def _pasted(image, rgba, rng):
    """The objects, tinted a little, over the image, which they darken below themselves."""
    alpha, colour = rgba[:, 3:], rgba[:, :3]
    batch = len(rgba)
    tint = _column(rng.uniform(0.82, 1.12, (batch, 1, 1, 1)), image) * _column(rng.uniform(0.94, 1.06, (batch, 3, 1, 1)), image)
    shade = F.avg_pool2d(F.pad(alpha, (6, 6, 10, 2)), 13, stride=1) * 0.35
    image = image * (1 - shade * (1 - alpha))
    return image * (1 - alpha) + (colour * tint).clamp(max=1)


def _prompt(world, classes, place, rng):
    nouns = [world.names[category] for category in classes if category >= 0]
    order = rng.permutation(len(nouns))
    text = TEMPLATES[rng.integers(len(TEMPLATES))].format(phrase([nouns[i] for i in order]))
    return f"{text} {world.scenes[place]}" if rng.random() < 0.7 else text


def article(noun):
    return ("an " if noun[0] in "aeiou" else "a ") + noun


def phrase(nouns):
    """ "a dog", "a dog and an owl", "a dog, a cat and an owl"."""
    *first, last = [article(noun) for noun in nouns]
    return f"{', '.join(first)} and {last}" if first else last


def _affine(scale, x, y, angle, flip):
    """Maps from output to input that turn, scale, shift and flip, one for each number [n, 2, 3]."""
    c, s = np.cos(angle), np.sin(angle)
    across = np.stack([c / scale * flip, s / scale * flip, -(c * x + s * y) / scale * flip], -1)
    down = np.stack([-s / scale, c / scale, -(-s * x + c * y) / scale], -1)
    return torch.from_numpy(np.stack([across, down], -2).astype(np.float32))


def _sampled(pictures, maps, size, outside):
    grid = F.affine_grid(maps.to(pictures.device), [*pictures.shape[:2], size, size], align_corners=False)
    return F.grid_sample(pictures, grid, mode="bilinear", padding_mode=outside, align_corners=False)


def _indices(numbers, world):
    return torch.from_numpy(np.asarray(numbers)).to(world.cutouts.device)


def _column(numbers, like):
    return torch.from_numpy(numbers.astype(np.float32)).to(like.device)


def main():
    world = load(sys.argv[1], subset=sys.argv[3] if len(sys.argv) > 3 else "train")
    made = compose(world, 40, 256, np.random.default_rng(0))
    rows = [torch.cat(list(made.images[i:i + 8]), 2) for i in range(0, 40, 8)]
    sheet = (torch.cat(rows, 1).permute(1, 2, 0) + 1) * 127.5
    Image.fromarray(sheet.byte().numpy()).save(sys.argv[2])
    print("\n".join(made.prompts[:8]))


if __name__ == "__main__":
    main()
