"""Cut-outs of things: photographs as they are, 3-D models rendered from many sides."""

import math
import pathlib
import re
import subprocess
import sys
import zipfile

import numpy as np
from PIL import Image

Image.MAX_IMAGE_PIXELS = None
FURNITURE = "sweethome3d-furniture/usr/share/sweethome3d/furniture"
PROPERTIES = "PluginFurnitureCatalog.properties"
TEXTURE_SIDE = 1024


def cutout(image, size):
    """The thing alone: cropped to its alpha, scaled to size, centred on a transparent square; None if nothing is there."""
    box = image.getchannel("A").point(lambda alpha: 255 if alpha > 8 else 0).getbbox()
    if not box or min(box[2] - box[0], box[3] - box[1]) < 8:
        return None
    image = image.crop(box)
    scale = (size - 4) / max(image.size)
    image = image.convert("RGBa").resize([max(1, round(side * scale)) for side in image.size], Image.LANCZOS)
    canvas = Image.new("RGBA", (size, size))
    canvas.paste(image.convert("RGBA"), ((size - image.width) // 2, (size - image.height) // 2))
    return canvas


def catalogue(root, work):
    """The OBJ files of each name in the furniture package's catalogues, unpacked into `work`."""
    models = {}
    for archive in sorted((root / FURNITURE).glob("*.sh3f")):
        folder = work / archive.stem
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder)
        entries = described((folder / PROPERTIES).read_text("latin1"))
        for number, entry in entries.items():
            path = folder / entry.get("model", "").lstrip("/")
            if path.suffix.lower() == ".obj" and path.exists():
                models.setdefault(entry["name"], []).append(path)
            elif path.suffix.lower() == ".zip" and path.exists():
                inner = folder / f"model{number}"
                with zipfile.ZipFile(path) as packed:
                    packed.extractall(inner)
                models.setdefault(entry["name"], []).extend(sorted(inner.rglob("*.obj"))[:1])
    return models


def described(properties):
    """What a catalogue says of each of its models: {number: {"name": …, "creator": …, "model": …}}, in order."""
    entries = {}
    for line in properties.splitlines():
        match = re.match(r"([A-Za-z]+)#(\d+)\s*=\s*(.*)", line.strip())
        if match:
            entries.setdefault(int(match[2]), {})[match[1]] = match[3]
    return dict(sorted(entries.items()))


def views(render, model, size, count, rng):
    """A model from `count` sides, turned and raised at random."""
    _unpack_textures(model)
    turn = rng.uniform(0, 2 * math.pi)
    angles = [f"{turn + 2 * math.pi * i / count:.4f},{rng.uniform(0.02, 0.45):.4f}" for i in range(count)]
    out = model.with_suffix(".views")
    done = subprocess.run([str(render), str(model), str(size), str(out), *angles], timeout=300)
    if done.returncode:
        return []
    pixels = np.fromfile(out, np.uint8).reshape(count, size, size, 4)
    out.unlink()
    return [Image.fromarray(picture, "RGBA") for picture in pixels]


def _unpack_textures(model):
    """Writes FILE.rgba beside each texture, which render.c reads."""
    for materials in model.parent.glob("*.mtl"):
        for line in materials.read_text("latin1").splitlines():
            if not line.strip().startswith("map_Kd "):
                continue
            source = model.parent / line.strip()[len("map_Kd "):].strip()
            target = pathlib.Path(f"{source}.rgba")
            if target.exists() or not source.exists():
                continue
            try:
                image = Image.open(source).convert("RGBA")
            except Exception as error:
                print(f"texture {source.name}: {error}", file=sys.stderr)
                continue
            image.thumbnail((TEXTURE_SIDE, TEXTURE_SIDE))
            target.write_bytes(np.array(image.size, np.int32).tobytes() + image.tobytes())
