"""Opens every PNG below a folder with a reader that is not ours and refuses flat ones."""
import pathlib
import sys

import numpy
from PIL import Image

files = sorted(pathlib.Path(sys.argv[1]).rglob("*.png"))
if len(files) < 9:
    sys.exit(f"expected at least 8 pictures and a contact sheet, found {len(files)}")
for file in files:
    with Image.open(file) as image:
        pixels = numpy.asarray(image.convert("RGB"), dtype=numpy.float32)
    spread = float(pixels.std())
    print(f"{file}: {image.width}×{image.height}, standard deviation {spread:.1f}")
    if spread < 8:
        sys.exit(f"{file} is flat: standard deviation {spread:.2f} of 255")
