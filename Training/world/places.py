"""Backgrounds: squares of photographs, and rooms, streets and gardens made of a wall and a floor."""

import io
import zipfile

import numpy as np
from PIL import Image

JAR = "sweethome3d/usr/share/sweethome3d/sweethome3d.jar"
TEXTURES = "com/eteks/sweethome3d/io/resources/textures"

# Words, walls (a colour or a texture), floors, how many.
ROOMS = [
    ("in a room", ["#d8cfc0", "#b9c7c9", "#c9b6b0", "#e4e0d6"], ["woodenFloor", "oldWoodenFloor"], 5),
    ("in a kitchen", ["wallBeigeTile", "lightBlueTile", "beigeTile"], ["greyTile", "blackAndWhiteTiles", "stoneTiles"], 4),
    ("in front of a brick wall", ["smallRedBricks", "smallBricks", "smallWhiteBricks"], ["stoneTiles", "pavingStone"], 4),
    ("on a street", ["blueSky", "cloudy", "veryCloudy"], ["pavingStone"], 3),
    ("in a garden", ["blueSky", "cloudy"], ["grass"], 3),
    ("on pebbles", ["veryCloudy", "blueSky"], ["pebbles"], 3),
]
SKIES = {"blueSky", "cloudy", "veryCloudy"}


def squares(path, box, side):
    """Three overlapping squares of the lower part of a photograph, cropped to `box` (fractions) first."""
    image = Image.open(path).convert("RGB")
    left, top, right, bottom = (float(value) for value in box.split(","))
    image = image.crop((
        int(left * image.width), int(top * image.height), int(right * image.width), int(bottom * image.height)))
    whole = min(image.size)
    for x in (0, (image.width - whole) // 2, image.width - whole):
        square = image.crop((x, image.height - whole, x + whole, image.height))
        yield square.resize((side, side), Image.LANCZOS)


def rooms(root, side, rng):
    """Words and pictures of a floor that goes back to a wall, from seamless textures."""
    jar = zipfile.ZipFile(root / JAR)

    def texture(name):
        return Image.open(io.BytesIO(jar.read(f"{TEXTURES}/{name}.jpg"))).convert("RGB")

    for words, walls, floors, count in ROOMS:
        for i in range(count):
            wall, floor = walls[i % len(walls)], floors[i % len(floors)]
            if wall.startswith("#"):
                image = Image.new("RGB", (side, side), wall)
            elif wall in SKIES:
                image = texture(wall).resize((side, side), Image.LANCZOS)
            else:
                image = _tiled(texture(wall), side, side, int(rng.integers(90, 160)))
            horizon = int(side * rng.uniform(0.42, 0.6))
            plane = _tiled(texture(floor), 3 * side, 3 * side, int(rng.integers(220, 340)))
            image.paste(_floor(plane, side, side - horizon, rng.uniform(0.9, 1.0)), (0, horizon))
            yield words, image


def _tiled(image, width, height, tile):
    image = image.resize((tile, max(1, tile * image.height // image.width)), Image.LANCZOS)
    out = Image.new("RGB", (width, height))
    for y in range(0, height, image.height):
        for x in range(0, width, image.width):
            out.paste(image, (x, y))
    return out


def _floor(plane, side, depth, far):
    """The plane in perspective: its far edge shows the share `far` of its width, the near edge a third."""
    big = plane.width
    reach = far * big / 2
    seen = [(big / 2 - reach, 0), (big / 2 + reach, 0), (big / 2 + side / 2, big), (big / 2 - side / 2, big)]
    shown = [(0, 0), (side, 0), (side, depth), (0, depth)]
    rows = []
    for (x, y), (u, v) in zip(shown, seen):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    values = np.array([value for point in seen for value in point], float)
    coefficients = np.linalg.solve(np.array(rows, float), values)
    return plane.transform((side, depth), Image.PERSPECTIVE, coefficients, Image.BICUBIC)
