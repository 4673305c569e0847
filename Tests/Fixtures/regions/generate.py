"""Encodes 100,000 drawn masks with pycocotools and keeps a hash of all results.

    python generate.py            writes digests.json
    python generate.py --check    compares with digests.json instead, and exits with 1 where it differs

A mask follows from its number alone, by whole numbers that Tests/DatasetExportsTests/DrawnMask.swift computes in the
same way. Made with pycocotools 2.0.11 and numpy 2.4.6; any version must give the same.
"""
import hashlib
import json
import pathlib
import sys

import numpy
from pycocotools import mask as coco

COUNT = 100_000
BLOCK = 10_000


def stream(seed, count):
    """The first numbers of SplitMix64 from a seed."""
    with numpy.errstate(over="ignore"):
        state = numpy.uint64(seed) + numpy.arange(1, count + 1, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15)
        mixed = (state ^ (state >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        return mixed ^ (mixed >> numpy.uint64(31))


def drawn(number):
    head = [int(value) for value in stream(number, 16)]
    # One mask in 500 is large, so that long runs and differences of several characters occur.
    limit = 400 if number % 500 == 7 else 24
    height, width, kind = 1 + head[0] % limit, 1 + head[1] % limit, head[2] % 4
    y, x = numpy.mgrid[0:height, 0:width]
    if kind == 0:
        # Noise of some density.
        noise = stream(number, 16 + height * width)[16:].reshape(height, width)
        return (noise >> numpy.uint64(60)) < numpy.uint64(head[3] % 17)
    inside = numpy.zeros((height, width), dtype=bool)
    for shape in range(1 + head[3] % 3):
        a, b, c, d = head[4 + 4 * shape : 8 + 4 * shape]
        if kind == 1:
            # Rectangles that turn what lies below them.
            x0, x1 = sorted((a % (width + 1), b % (width + 1)))
            y0, y1 = sorted((c % (height + 1), d % (height + 1)))
            inside ^= (x0 <= x) & (x < x1) & (y0 <= y) & (y < y1)
        else:
            # Discs, or what is left beside them; the doubled places have centres on edges, too.
            dx, dy = 2 * x - a % (2 * width), 2 * y - b % (2 * height)
            inside |= dx * dx + dy * dy <= (c % (max(width, height) + 1)) ** 2
    return ~inside if kind == 3 else inside


def line(mask):
    encoded = coco.encode(numpy.asfortranarray(mask.astype(numpy.uint8)))
    box = [int(value) for value in coco.toBbox(encoded)]
    counts = encoded["counts"].decode("ascii")
    return f"{mask.shape[0]} {mask.shape[1]} {counts} {int(coco.area(encoded))} {box[0]} {box[1]} {box[2]} {box[3]}\n"


def digests():
    hashes = []
    for first in range(0, COUNT, BLOCK):
        text = "".join(line(drawn(number)) for number in range(first, first + BLOCK))
        hashes.append(hashlib.sha256(text.encode("ascii")).hexdigest())
    return {"block": BLOCK, "sha256": hashes}


def main():
    file = pathlib.Path(__file__).parent / "digests.json"
    made = json.dumps(digests(), indent=2) + "\n"
    if sys.argv[1:] == ["--check"]:
        if file.read_text() != made:
            sys.exit(f"{file} differs from what this pycocotools encodes")
        print(f"pycocotools encodes all {COUNT} masks as {file.name} says")
    else:
        file.write_text(made)


main()
