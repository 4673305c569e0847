"""Draws run folders for the check of galleries: known pictures, known masks, prompts that try to be markup.

Written by hand in the format of docs/RUNS.md, without triptych: what a test expects must not come from what it tests.
A picture is one grey; a mask is a square of one class in its middle. The few different files are linked, not copied.
"""
import hashlib
import io
import json
import os
import pathlib

from PIL import Image

SIDE = 64
GREY = 140
CLASSES = [  # id, name, colour, split
    (1, "dog", "#800000", "seen"),
    (2, "traffic light", "#008000", "seen"),
    (3, "<b>cat</b> & \"co\"", "#0040c0", "unseen"),
    (4, "__proto__", "#c0c000", "unseen"),
]
PROMPTS = [
    "a photo of a dog",
    "a street at dusk",
    "<img src=x onerror=\"window.pwned=1\"><b>bold</b>",
    "</script><script>window.pwned=2</script>",
    "two\nlines, a \ttab and 'quotes' \"of\" both kinds \\ and $HOME `id`",
    "\u732b\u3068\u72ac \U0001f415\u200d\U0001f9ba emoji",
    "\u202eturned\u202c and \u2028 a line end",
    "&lt;b&gt; &amp; {{mustache}} ${template} constructor",
]


def picture():
    return Image.new("RGB", (SIDE, SIDE), (GREY,) * 3)


def mask(class_id):
    made = Image.new("P", (SIDE, SIDE), 0)
    made.putpalette([0] * 768)
    made.paste(class_id, (SIDE // 4, SIDE // 4, 3 * SIDE // 4, 3 * SIDE // 4))
    return made


def png(image):
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()


def record(index):
    number, name, _, _ = CLASSES[index % len(CLASSES)]
    reasons = [f"confidence:{name}"] if index % 10 == 7 else []
    if index % 20 == 7:
        reasons.append("duplicate")
    spread = (index * 37 % 101) / 101
    scores = {"finite": True, "brightness": 0.55, "contrast": round(spread, 4), "clipped": 0, "hash": "0" * 16}
    entity = {
        "name": name, "class_id": number, "words": name, "named": True, "present": True, "presence": 0.9,
        "area": 0.25, "confidence": round(0.3 + 0.6 * spread, 4), "edge_confidence": 0.5, "parts": 1,
        "border": False, "agreement": None,
    }
    rejected = []
    attempt = 1 if index % 9 == 4 else 0
    if attempt:
        rejected = [{"attempt": 0, "seed": "12", "reasons": ["flat"], "entities": [], "scores": scores}]
    return {
        "index": index, "image": f"images/{index:09d}.png", "mask": f"masks/{index:09d}.png",
        "prompt": f"{PROMPTS[index % len(PROMPTS)]} number {index}", "seed": str(2**64 - 1 - index),
        "attempt": attempt, "steps": 25, "guidance": 4, "scheduler": "ddim", "width": SIDE, "height": SIDE,
        "accepted": not reasons, "reasons": reasons, "entities": [entity], "scores": scores,
        "rejected_attempts": rejected,
    }


def write(folder, count, shard_size=500):
    """Writes a run and returns its records."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True)
    configuration = {
        "program": "triptych", "version": "0", "seed": "7", "count": count, "shard_size": shard_size,
        "source": {"prompts": PROMPTS}, "model": {"files": {"unet": "00"}, "licence": "<i>openrail</i>"},
        "sampling": {
            "steps": 25, "guidance": 4, "guidance_rescale": 0, "scheduler": "ddim", "eta": 0,
            "negative_prompt": "", "width": SIDE, "height": SIDE, "latents_sha256": None,
        },
        "numerics": {"precision": "exact", "isa": "portable"},
        "masks": {
            "source": {"name": "attention", "refinement": None, "normalisation": "range", "threshold": 0.5},
            "entities": [], "flip_check": False, "ignore_band": None,
        },
    }
    run_text = json.dumps(configuration).encode()
    (folder / "run.json").write_bytes(run_text)
    class_text = "".join(
        f"{number}\t{name}\t\t{colour}\t{split}\n" for number, name, colour, split in CLASSES).encode()
    (folder / "classes.tsv").write_bytes(class_text)
    parts = folder / "parts"
    parts.mkdir()
    (parts / "image").write_bytes(png(picture()))
    for number, *_ in CLASSES:
        (parts / f"mask{number}").write_bytes(png(mask(number)))
    known = {
        part.name: (len(part.read_bytes()), hashlib.sha256(part.read_bytes()).hexdigest())
        for part in parts.iterdir()
    }
    records = [record(index) for index in range(count)]
    for shard, start in enumerate(range(0, count, shard_size)):
        place = folder / "shards" / f"{shard:05d}"
        for name in ("images", "masks"):
            (place / name).mkdir(parents=True)
        some = records[start:start + shard_size]
        text = "".join(json.dumps(one) + "\n" for one in some).encode()
        (place / "records.jsonl").write_bytes(text)
        files = [{"path": "records.jsonl", "size": len(text), "sha256": hashlib.sha256(text).hexdigest()}]
        for one in some:
            for path, part in ((one["image"], "image"), (one["mask"], f"mask{one['entities'][0]['class_id']}")):
                os.link(parts / part, place / path)
                files.append({"path": path, "size": known[part][0], "sha256": known[part][1]})
        done = {
            "shard": shard, "first_index": start, "samples": len(some),
            "accepted": sum(one["accepted"] for one in some), "rejected_by_reason": {},
            "configuration_sha256": hashlib.sha256(run_text).hexdigest(),
            "classes_sha256": hashlib.sha256(class_text).hexdigest(), "numerics": "drawn", "files": files,
        }
        (place / "DONE").write_text(json.dumps(done))
    return records
