"""Makes the fixtures of ImagingTests: PNG files by Pillow with their pixels as Pillow reads them, pictures
made smaller by Pillow, and a decoder's output in 8 bits as diffusers makes it.

pillow==13.0.0 numpy==2.4.6 torch==2.15.0 diffusers==0.42.1
Run: python generate.py   (writes beside itself; CI never runs it)
"""

import struct
import zlib
from pathlib import Path

import numpy as np
import torch
from diffusers.image_processor import VaeImageProcessor
from PIL import Image
from PIL.PngImagePlugin import PngInfo

HERE = Path(__file__).parent
torch.set_num_threads(1)
rng = np.random.default_rng(7)


def save(name, image, **options):
    image.save(HERE / f"{name}.png", **options)
    (HERE / f"{name}.rgb.bin").write_bytes(np.asarray(Image.open(HERE / f"{name}.png").convert("RGB")).tobytes())


W, H = 13, 9
text = PngInfo()
text.add_itxt("triptych", '{"prompt":"ein Bär, 熊"}')
text.add_text("Comment", "plain", zip=True)
save("rgb", Image.fromarray(rng.integers(0, 256, (H, W, 3), dtype=np.uint8)), pnginfo=text)
save("rgba", Image.fromarray(rng.integers(0, 256, (H, W, 4), dtype=np.uint8)))
save("grey", Image.fromarray(rng.integers(0, 256, (H, W), dtype=np.uint8)))
save("grey-alpha", Image.fromarray(rng.integers(0, 256, (H, W, 2), dtype=np.uint8)))
save("bilevel", Image.fromarray(rng.integers(0, 2, (H, W), dtype=np.uint8) * 255).convert("1"))

indices = rng.integers(0, 5, (H, W), dtype=np.uint8)
palette = Image.fromarray(indices, mode="P")
palette.putpalette(rng.integers(0, 256, 768, dtype=np.uint8).tobytes())
save("palette", palette, bits=8)
(HERE / "palette.ids.bin").write_bytes(indices.tobytes())
save("palette4", palette, bits=4)


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


# Pillow reads interlaced files but does not write them.
pixels = rng.integers(0, 256, (H, W, 3), dtype=np.uint8)
passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
packed = b"".join(
    b"\0" + row.tobytes() for y, x, dy, dx in passes for row in pixels[y::dy, x::dx] if row.size)
(HERE / "interlaced.png").write_bytes(
    b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", W, H, 8, 2, 0, 0, 1))
    + chunk(b"IDAT", zlib.compress(packed)) + chunk(b"IEND", b""))
(HERE / "interlaced.rgb.bin").write_bytes(
    np.asarray(Image.open(HERE / "interlaced.png").convert("RGB")).tobytes())

wide = rng.integers(0, 65536, (H, W), dtype=np.uint16)
Image.fromarray(wide).save(HERE / "grey16.png")
(HERE / "grey16.ids.bin").write_bytes(wide.astype("<u2").tobytes())

source = Image.fromarray(rng.integers(0, 256, (30, 42, 3), dtype=np.uint8))
(HERE / "resize.in.bin").write_bytes(source.tobytes())
# Pillow's box takes whole pixels only, so the oracle for uneven factors is the mean over a common multiple.
fine = np.asarray(source, np.float64).repeat(11, axis=0).repeat(17, axis=1)
exact = fine.reshape(11, 30, 17, 42, 3).mean(axis=(1, 3))
(HERE / "resize.area.bin").write_bytes(exact.astype("<f4").tobytes())
(HERE / "resize.area7.bin").write_bytes(source.resize((7, 10), Image.Resampling.BOX).tobytes())
tensor = torch.tensor(np.asarray(source)).permute(2, 0, 1)[None].float()
for name, size in {"up": (41, 55), "down": (11, 17)}.items():
    out = torch.nn.functional.interpolate(tensor, size=size, mode="bilinear", align_corners=False)
    (HERE / f"resize.bilinear-{name}.bin").write_bytes(out[0].permute(1, 2, 0).contiguous().numpy().astype("<f4").tobytes())
    near = torch.nn.functional.interpolate(tensor, size=size, mode="nearest-exact")
    (HERE / f"resize.nearest-{name}.bin").write_bytes(near[0].permute(1, 2, 0).contiguous().numpy().astype(np.uint8).tobytes())

# Random values, values beyond the range, and values as near to a half step as single precision gets.
halves = ((np.arange(256, dtype=np.float64) + 0.5) / 255 * 2 - 1).astype(np.float32)
decoded = np.concatenate([rng.normal(0, 0.7, 16 * 16 * 3 - 512).astype(np.float32), halves,
                          np.nextafter(halves, np.float32(2))]).astype(np.float32)
decoded = decoded.reshape(16, 16, 3)
(HERE / "decoded.in.bin").write_bytes(decoded.astype("<f4").tobytes())
image = VaeImageProcessor().postprocess(torch.tensor(decoded).permute(2, 0, 1)[None], output_type="pil")[0]
(HERE / "decoded.out.bin").write_bytes(np.asarray(image).tobytes())
