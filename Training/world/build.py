"""Packs the object world into one .npz: cut-outs with alpha, category names, scene backgrounds.

    python3 build.py --out world.npz [--unpacked DIR] [--views 10] [--only "dog,cat,..."] [--folder PACK]

Needs numpy, Pillow and a C compiler. Sources are Debian packages, fetched with `apt-get download` and unpacked (or
taken from DIR/<package>): tuxpaint-stamps-default (GPL-2: photographs of things), sweethome3d-furniture (CC0 and
CC BY 3.0: 3-D models, rendered here from many sides), sweethome3d (GPL-2+: wall and floor textures), mate-backgrounds
and plasma-workspace-wallpapers (photographs of scenes).

The pack holds  webp, offsets [N+1]: the cut-outs, WebP with alpha, one after the other, S by S, centred;
category [N], model [N]: views of one model share its number; names [C];
bg_webp, bg_offsets [M+1]: backgrounds, B by B; scenes [M]: the words for each;
held [N], bg_held [M]: true for what no training may read: the last thing of every category with three things or more,
every fifth view of a model, every eighth photographed place (all its squares), every seventh room.

--folder writes the same as PNG files, for any program (`triptych compose` reads it): PACK/cutouts/CATEGORY/THING/VIEW.png,
PACK/backgrounds/NUMBER.png and PACK/pack.json (docs/WORLDS.md).
"""

import argparse
import collections
import dataclasses
import io
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image

import places
import things

HERE = pathlib.Path(__file__).parent
PACKAGES = [
    "tuxpaint-stamps-default", "sweethome3d-furniture", "sweethome3d", "mate-backgrounds", "plasma-workspace-wallpapers",
]
STAMPS = "tuxpaint-stamps-default/usr/share/tuxpaint/stamps"


@dataclasses.dataclass
class Pack:
    names: list
    cutouts: list = dataclasses.field(default_factory=list)  # WebP
    category: list = dataclasses.field(default_factory=list)
    model: list = dataclasses.field(default_factory=list)
    things: int = 0
    backgrounds: list = dataclasses.field(default_factory=list)  # WebP
    scenes: list = dataclasses.field(default_factory=list)
    background_held: list = dataclasses.field(default_factory=list)

    def add_thing(self, category, pictures):
        for picture in pictures:
            self.cutouts.append(webp(picture))
            self.category.append(category)
            self.model.append(self.things)
        self.things += 1

    def add_place(self, words, picture, held):
        self.backgrounds.append(webp(picture))
        self.scenes.append(words)
        self.background_held.append(held)

    def held(self):
        """Per cut-out: is it kept for tests only?"""
        models = collections.defaultdict(list)
        for category, model in zip(self.category, self.model):
            if model not in models[category]:
                models[category].append(model)
        last = {group[-1] for group in models.values() if len(group) >= 3}
        seen, held = collections.Counter(), []
        for model in self.model:
            seen[model] += 1
            held.append(model in last or seen[model] % 5 == 0)
        return held


def webp(image, quality=90):
    out = io.BytesIO()
    image.save(out, "WEBP", quality=quality, method=4, exact=False)
    return out.getvalue()


def listed(names):
    """The names of an option that has commas; none where it was not given."""
    return names and [name.strip() for name in names.split(",")]


def rows(name):
    for line in (HERE / name).read_text().splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")


def unpack(folder):
    for package in PACKAGES:
        subprocess.run(["apt-get", "download", package], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        archive = next(pathlib.Path(folder).glob(f"{package}_*.deb"))
        subprocess.run(["dpkg", "-x", str(archive), f"{folder}/{package}"], check=True)
        archive.unlink()
    return folder


def add_things(pack, root, work, options, rng):
    render = work / "render"
    subprocess.run(["cc", "-O3", "-march=native", "-o", str(render), str(HERE / "render.c"), "-lm"], check=True)
    photographs = {name: files.split() for name, files in rows("vocabulary.tsv")}
    renders = {name: titles.split(";") for name, titles in rows("models.tsv")}
    models = things.catalogue(root, work)
    for category, name in enumerate(pack.names):
        for file in photographs.get(name, []):
            image = Image.open(root / STAMPS / f"{file}.png").convert("RGBA")
            pack.add_thing(category, [things.cutout(image, options.cutout)])
        for title in renders.get(name, []):
            if title not in models:
                print(f"no model named {title}", file=sys.stderr)
            for model in models.get(title, []):
                seen = things.views(render, model, options.cutout, options.views, rng)
                pack.add_thing(category, filter(None, (things.cutout(view, options.cutout) for view in seen)))
        print(f"\r{category + 1}/{len(pack.names)} {name:30}", end="", file=sys.stderr, flush=True)


def add_places(pack, root, options, rng):
    for number, (words, package, file, box) in enumerate(rows("backgrounds.tsv")):
        for square in places.squares(root / package / file, box, options.background):
            pack.add_place(words, square, number % 8 == 5)
    for number, (words, image) in enumerate(places.rooms(root, options.background, rng)):
        pack.add_place(words, image, number % 7 == 6)


def write_npz(pack, path):
    def joined(items):
        return np.frombuffer(b"".join(items), np.uint8), np.cumsum([0] + [len(item) for item in items], dtype=np.int64)

    data, offsets = joined(pack.cutouts)
    backgrounds, background_offsets = joined(pack.backgrounds)
    np.savez(
        path, webp=data, offsets=offsets, category=np.array(pack.category, np.int32), model=np.array(pack.model, np.int32),
        names=np.array(pack.names), bg_webp=backgrounds, bg_offsets=background_offsets, scenes=np.array(pack.scenes),
        held=np.array(pack.held()), bg_held=np.array(pack.background_held))


def write_folder(pack, folder, options):
    folder, views = pathlib.Path(folder), collections.Counter()

    def save(blob, file, mode):
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.open(io.BytesIO(blob)).convert(mode).save(path, optimize=True)
        return file

    cutouts, backgrounds = [], []
    for blob, category, model, held in zip(pack.cutouts, pack.category, pack.model, pack.held()):
        name = pack.names[category]
        file = f"cutouts/{name.replace(' ', '_')}/{model:04}/{views[model]:02}.png"
        views[model] += 1
        cutouts.append(dict(file=save(blob, file, "RGBA"), category=name, thing=model, held_out=held))
    for number, (blob, words, held) in enumerate(zip(pack.backgrounds, pack.scenes, pack.background_held)):
        backgrounds.append(dict(file=save(blob, f"backgrounds/{number:04}.png", "RGB"), scene=words, held_out=held))
    (folder / "pack.json").write_text(json.dumps(
        dict(cutout_size=options.cutout, background_size=options.background, categories=pack.names, cutouts=cutouts,
             backgrounds=backgrounds), indent=1))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True)
    parser.add_argument("--unpacked", help="folder of the unpacked packages, instead of fetching them")
    parser.add_argument("--views", type=int, default=10, help="of a 3-D model")
    parser.add_argument("--cutout", type=int, default=192, help="pixels")
    parser.add_argument("--background", type=int, default=512, help="pixels")
    parser.add_argument("--only", help="categories, with commas")
    parser.add_argument("--folder", help="write PNG files there too")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    work = pathlib.Path(tempfile.mkdtemp())
    root = pathlib.Path(options.unpacked or unpack(tempfile.mkdtemp()))
    names = sorted({name for table in ("vocabulary.tsv", "models.tsv") for name, _ in rows(table)})
    if options.only:
        names = [name for name in names if name in listed(options.only)]
    pack = Pack(names)
    add_things(pack, root, work, options, rng)
    add_places(pack, root, options, rng)
    if options.folder:
        write_folder(pack, options.folder, options)
    write_npz(pack, options.out)
    print(
        f"\n{len(names)} categories, {pack.things} things, {len(pack.cutouts)} cut-outs, {len(pack.backgrounds)} backgrounds"
        f" -> {options.out} ({pathlib.Path(options.out).stat().st_size / 1e6:.1f} MB)", file=sys.stderr)


if __name__ == "__main__":
    main()
