"""Makes TIFF masks in every packing that is read: value(x, y) = (31 x x + 17 y y + 7 x y) % 459, of 8 bits % 251.

Versions: Pillow of ../requirements.txt, whose libtiff packs.
"""

import pathlib

import numpy as np
from PIL import Image

here = pathlib.Path(__file__).resolve().parent
y, x = np.mgrid[:61, :90]
values = (31 * x * x + 17 * y * y + 7 * x * y) % 459
wide, narrow = values.astype("<u2"), (values % 251).astype(np.uint8)

for name, pixels, packing, tags in [
    ("plain16", wide, None, {}),
    ("big16", values.astype(">u2"), None, {}),
    ("lzw16", wide, "tiff_lzw", {278: 16}),
    ("lzw16.differences", wide, "tiff_lzw", {317: 2}),
    ("deflate16.differences", wide, "tiff_adobe_deflate", {317: 2, 278: 7}),
    ("plain8", narrow, None, {}),
    ("lzw8", narrow, "tiff_lzw", {}),
    ("deflate8", narrow, "tiff_deflate", {}),
    ("packbits8", narrow // 40 * 40, "packbits", {278: 10}),
]:
    Image.fromarray(pixels).save(here / f"{name}.tif", compression=packing, tiffinfo=tags)
