"""Fills drawn outlines with pycocotools and keeps outlines and runs: writes polygons.json.

Corners inside and outside the picture, whole, halves and odd fractions, outlines that cross themselves, needles, points,
pictures of one row or column. Made with pycocotools 2.0.11; any version must give the same.
"""
import json
import pathlib
import random

from pycocotools import mask as coco

draw = random.Random(20261121)
cases = []
for number in range(400):
    height, width = draw.choice([(1, 1), (1, 37), (29, 1), (7, 5), (24, 31), (48, 64), (33, 101)])
    spread = draw.choice([0, 0, 3, 40])
    step = draw.choice([1.0, 0.5, 0.2, 0.01])

    def coordinate(side):
        return round(draw.uniform(-spread, side + spread) / step) * step

    outlines = []
    for _ in range(draw.choice([1, 1, 1, 2, 4])):
        # pycocotools takes a list of four numbers for a box, so three corners are the least.
        corners = draw.choice([3, 4, 5, 8, 20])
        points = [round(coordinate(side), 4) for _ in range(corners) for side in (width, height)]
        if draw.random() < 0.1:
            points[1::2] = [points[1]] * corners
        outlines.append(points)
    merged = coco.merge(coco.frPyObjects(outlines, height, width))
    cases.append({"height": height, "width": width, "outlines": outlines, "counts": merged["counts"].decode()})

lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
pathlib.Path(__file__).with_name("polygons.json").write_text(f"[\n{lines}\n]\n")
