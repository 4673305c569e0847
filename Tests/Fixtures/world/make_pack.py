"""Makes the small pack beside this file from a large one, by choosing and shrinking.

    python3 make_pack.py FOLDER_OF_A_PACK

FOLDER_OF_A_PACK is laid out as docs/WORLDS.md says and has a pack.json. Marks of what is held out are kept. Needs Pillow.
"""
import json, pathlib, shutil, sys
from PIL import Image

HERE = pathlib.Path(__file__).parent
# category: things of the large pack, all of them 3-D models under CC0 or CC BY 3.0 (README.md names their creators)
THINGS = {"bicycle": [60, 61], "bottle": [75, 78, 79], "car": [107, 118], "cat": [122], "chair": [126, 143, 161],
          "dog": [211, 212], "horse": [300, 301], "lamp": [318, 323, 329], "mug": [358], "sofa": [493, 498, 513],
          "teddy bear": [567], "umbrella": [613, 614]}
VIEWS = [0, 2, 4, 7]
CUTOUT, BACKGROUND = 112, 192
# numbers of the large pack's backgrounds
PLACES = [0, 9, 15, 36, 40, 46, 51, 53, 54, 56, 60, 61]

def main(source):
    source = pathlib.Path(source)
    pack = json.loads((source / "pack.json").read_text())
    for name in ("cutouts", "backgrounds"): shutil.rmtree(HERE / name, ignore_errors=True)
    cutouts, backgrounds = [], []
    def save(image, file):
        path = HERE / file
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path, optimize=True)
    for entry in pack["cutouts"]:
        view = int(pathlib.Path(entry["file"]).stem)
        if entry["thing"] not in THINGS.get(entry["category"], []) or view not in VIEWS: continue
        image = Image.open(source / entry["file"]).convert("RGBa").resize((CUTOUT, CUTOUT), Image.LANCZOS).convert("RGBA")
        # Fewer colours pack better; alpha keeps its steps.
        colours = image.convert("RGB").quantize(96, dither=Image.Dither.NONE).convert("RGB")
        colours.putalpha(image.getchannel("A"))
        clear = Image.new("RGBA", colours.size)
        clear.paste(colours, mask=image.getchannel("A").point(lambda a: 255 if a else 0))
        save(clear, entry["file"])
        cutouts.append(entry)
    for number in PLACES:
        entry = pack["backgrounds"][number]
        save(Image.open(source / entry["file"]).convert("RGB").resize((BACKGROUND, BACKGROUND), Image.LANCZOS)
             .quantize(128, dither=Image.Dither.FLOYDSTEINBERG), entry["file"])
        backgrounds.append(entry)
    description = dict(licence="see README.md: CC0, CC BY 3.0, CC BY-SA 4.0, LGPL-3, GPL-2+", cutout_size=CUTOUT,
                       background_size=BACKGROUND, categories=sorted(THINGS), cutouts=cutouts, backgrounds=backgrounds)
    (HERE / "pack.json").write_text(json.dumps(description, indent=1) + "\n")
    files = [f for f in HERE.rglob("*") if f.is_file()]
    marks = lambda entries: f"{sum(e['held_out'] for e in entries)} of {len(entries)}"
    print(f"{len(THINGS)} categories, held out {marks(cutouts)} cut-outs, {marks(backgrounds)} backgrounds, "
          f"{sum(f.stat().st_size for f in files) / 1e6:.2f} MB in {len(files)} files")
    for name in sorted(THINGS):
        own = [e["held_out"] for e in cutouts if e["category"] == name]
        print(f"{name}: {own.count(False)} for training, {own.count(True)} held out")

main(sys.argv[1])
