"""Makes the JPEG fixtures of ImagingTests: files by Pillow with their pixels as Pillow reads them, turned upright by
their Exif orientation; and the pixels of PNG files with transparency on white.

pillow==13.0.0 (libjpeg-turbo 3.2.0) numpy==2.4.6
Run: python generate_jpeg.py   (writes beside itself; CI never runs it)
"""

import io
import struct
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

HERE = Path(__file__).parent
rng = np.random.default_rng(11)
W, H = 21, 13


def picture(channels):
    y, x = np.mgrid[0:H, 0:W]
    waves = [128 + 90 * np.sin(x / (3 + c) + c) * np.cos(y / (4 + c)) for c in range(channels)]
    noisy = np.stack(waves, -1) + rng.normal(0, 6, (H, W, channels))
    return noisy.clip(0, 255).astype(np.uint8)


def pack(image, **options):
    out = io.BytesIO()
    image.save(out, "JPEG", **options)
    return out.getvalue()


def keep(name, data):
    (HERE / f"{name}.jpg").write_bytes(data)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    (HERE / f"{name}.jpg.rgb.bin").write_bytes(np.asarray(upright.convert("RGB")).tobytes())


def exif(order, orientation):
    """A segment with two entries, orientation second."""
    entries = [(0x0100, 4, 1, struct.pack(order + "I", W)),
               (0x0112, 3, 1, struct.pack(order + "HH", orientation, 0))]
    body = b"".join(struct.pack(order + "HHI", *e[:3]) + e[3] for e in entries)
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
    return b"Exif\0\0" + head + struct.pack(order + "H", len(entries)) + body + bytes(4)


colour = Image.fromarray(picture(3))
grey = Image.fromarray(picture(1)[..., 0])
inks = Image.fromarray(picture(4), mode="CMYK")
keep("colour444", pack(colour, quality=92, subsampling=0))
keep("colour422", pack(colour, quality=92, subsampling=1))
keep("colour420", pack(colour, quality=92, subsampling=2))
keep("progressive", pack(colour, quality=92, progressive=True))
keep("progressive-grey", pack(grey, quality=92, progressive=True))
keep("restarts", pack(colour, quality=92, restart_marker_blocks=1))
keep("grey", pack(grey, quality=92))
keep("plain-rgb", pack(colour, quality=92, keep_rgb=True))
keep("cmyk", pack(inks, quality=92))
# The same file said to hold YCCK: Pillow writes none.
ycck = bytearray(pack(inks, quality=92))
adobe = ycck.index(b"Adobe")
assert ycck[adobe + 11] == 0
ycck[adobe + 11] = 2
keep("ycck", bytes(ycck))
for orientation in range(1, 9):
    order = "<>"[orientation % 2]
    keep(f"orientation{orientation}", pack(colour, quality=92, subsampling=0, exif=exif(order, orientation)))

# What Pillow's own round trip makes of a picture, for the encoder.
(HERE / "encode.in.bin").write_bytes(picture(3).tobytes())
source = Image.frombytes("RGB", (W, H), (HERE / "encode.in.bin").read_bytes())
for quality, subsampling in [(95, 0), (90, 0), (75, 2), (20, 2)]:
    back = Image.open(io.BytesIO(pack(source, quality=quality, subsampling=subsampling)))
    (HERE / f"encode.{quality}.bin").write_bytes(np.asarray(back).tobytes())

# Transparency on white, in exact numbers.
shapes = Image.fromarray(rng.integers(0, 5, (9, 13), dtype=np.uint8), mode="P")
shapes.putpalette(rng.integers(0, 256, 768, dtype=np.uint8).tobytes())
shapes.save(HERE / "palette-alpha.png", transparency=bytes([0, 40, 128, 250, 255]))
for name in ["rgba", "grey-alpha", "palette-alpha", "rgb"]:
    rgba = np.asarray(Image.open(HERE / f"{name}.png").convert("RGBA")).astype(np.float64)
    alpha = rgba[..., 3:] / 255
    white = np.floor(rgba[..., :3] * alpha + 255 * (1 - alpha) + 0.5).astype(np.uint8)
    (HERE / f"{name}.white.bin").write_bytes(white.tobytes())

# Made larger and smaller by Lanczos' filter, and the middle of a picture of other proportions.
source = Image.fromarray(rng.integers(0, 256, (30, 42, 3), dtype=np.uint8))
(HERE / "fit.in.bin").write_bytes(source.tobytes())
for width, height in [(16, 8), (64, 48), (42, 30), (8, 64), (42, 15)]:
    out = source.resize((width, height), Image.Resampling.LANCZOS)
    (HERE / f"fit.stretch-{width}x{height}.bin").write_bytes(out.tobytes())
for size, box in {(16, 16): (6, 0, 36, 30), (32, 9): (0, 9, 42, 21), (8, 32): (17, 0, 25, 30)}.items():
    out = source.crop(box).resize(size, Image.Resampling.LANCZOS)
    (HERE / f"fit.crop-{size[0]}x{size[1]}.bin").write_bytes(out.tobytes())
