"""Opens every picture and mask of run folders with a reader that is not ours.

Pictures must not be flat. Masks must be palette images with the VOC palette, of their picture's size, and hold the ids
that their record and classes.tsv say, in the shares that it says.
"""
import json
import pathlib
import sys

import numpy
from PIL import Image

IGNORE = 255


def voc_colour(index):
    colour = [0, 0, 0]
    for bit in range(8):
        for channel in range(3):
            colour[channel] |= (index >> channel & 1) << (7 - bit)
        index >>= 3
    return colour


def check_picture(file):
    with Image.open(file) as image:
        pixels = numpy.asarray(image.convert("RGB"), dtype=numpy.float32)
    spread = float(pixels.std())
    print(f"{file}: {image.width}×{image.height}, standard deviation {spread:.1f}")
    if spread < 8:
        sys.exit(f"{file} is flat: standard deviation {spread:.2f} of 255")
    return image.size


def check_mask(file, size, record, known):
    with Image.open(file) as image:
        mode, palette, ids = image.mode, image.getpalette(), numpy.asarray(image)
    if mode != "P" or image.size != size:
        sys.exit(f"{file}: mode {mode}, size {image.size}; expected P and {size}")
    if palette != [value for index in range(256) for value in voc_colour(index)]:
        sys.exit(f"{file}: not the VOC palette")
    found = {int(index): float((ids == index).mean()) for index in numpy.unique(ids)}
    shares = {}
    for entity in record["entities"]:
        if entity["class_id"] not in known or known[entity["class_id"]] != entity["name"]:
            sys.exit(f"{file}: {entity['name']} is not in classes.tsv as {entity['class_id']}")
        if entity["present"]:
            shares[entity["class_id"]] = entity["area"]
    for index in set(found) | set(shares):
        if index in (0, IGNORE):
            continue
        if abs(found.get(index, 0) - shares.get(index, 0)) > 1e-5:
            sys.exit(f"{file}: id {index} covers {found.get(index)}, its record says {shares.get(index)}")
    print(f"{file}: {found}")


def check_run(run):
    lines = (run / "classes.tsv").read_text(encoding="utf-8").splitlines()
    known = {int(line.split("\t")[0]): line.split("\t")[1] for line in lines}
    samples = 0
    for shard in sorted((run / "shards").iterdir()):
        for line in (shard / "records.jsonl").read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            size = check_picture(shard / record["image"])
            check_mask(shard / record["mask"], size, record, known)
            samples += 1
    return samples


root = pathlib.Path(sys.argv[1])
runs = [file.parent for file in sorted(root.rglob("run.json"))]
samples = sum(check_run(run) for run in runs)
sheets = [file for file in sorted(root.glob("*.png"))]
for sheet in sheets:
    check_picture(sheet)
if samples < 8 or not sheets:
    sys.exit(f"expected at least 8 samples and a contact sheet, found {samples} and {len(sheets)}")
