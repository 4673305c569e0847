"""Reads an exported data set with the loaders of its formats and compares it with its run, pixel for pixel.

    check_loaders.py RUN SET      whatever of mmseg, ade, imagefolder, parquet, webdataset, yolo, labelme, croissant is in SET

The loaders are datasets, webdataset, ultralytics, labelme, mlcroissant; mmsegmentation's folders are read with Pillow and its
fragments of configuration run.
"""
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy
from PIL import Image

from check_exports import Run, check_picture, compare_pictures, expect

HUB_NAMES = {"train": "train", "val": "validation", "test": "test"}


class Set:
    """The exported folder, with the split of each sample."""

    def __init__(self, folder, run):
        self.folder, self.run = pathlib.Path(folder), run
        lines = [json.loads(line) for line in (self.folder / "samples.jsonl").read_bytes().split(b"\n")[:-1]]
        self.splits = {}
        for line in lines:
            self.splits.setdefault(line["split"], []).append(line["index"])
        self.used = set(json.loads((self.folder / "manifest.json").read_text())["splits"])
        expect({one["index"] for one in lines} == set(run.records), "samples.jsonl lists other samples than the run has")

    def name(self, index):
        return f"{index:09d}"


def check_mask(run, index, mask, what):
    found = numpy.asarray(mask).astype(numpy.int64)
    expect(found.shape == run.mask(index).shape, f"{what} {index}: shape {found.shape}")
    expect((found == run.mask(index)).all(), f"{what} {index}: differs from the run's mask")


def check_instances(run, index, instances, what):
    numbers, mask = numpy.asarray(instances).astype(numpy.int64), run.mask(index)
    expect(((numbers == 0) == (mask == 0)).all(), f"{what} {index}: instances leave pixels out")
    expect(((numbers == 255) == (mask == run.ignored())).all(), f"{what} {index}: ignored pixels differ")
    found = sorted(set(numbers.flat) - {0, 255})
    expect(found == list(range(1, len(found) + 1)), f"{what} {index}: instances {found}")
    for number in found:
        expect(len(set(mask[numbers == number].flat)) == 1, f"{what} {index}: instance {number} has two classes")


def check_folders(data, style):
    root, run = data.folder / style, data.run
    scope = {}
    exec((root / "dataset_config.py").read_text(), scope)
    names = {"mmseg": {split: split for split in HUB_NAMES}, "ade": {"train": "training", "val": "validation", "test": "testing"}}[style]
    classes = scope["metainfo"]["classes"]
    expect(list(classes) == (["background"] if style == "mmseg" else []) + run.names, f"{style}: classes {classes}")
    expect(scope["num_classes"] == len(classes) == len(scope["metainfo"]["palette"]), f"{style}: number of classes")
    count = 0
    for split in data.used:
        dataset = scope[f"{split}_dataloader"]["dataset"]
        images, masks = (root / dataset["data_prefix"][key] for key in ("img_path", "seg_map_path"))
        expect(images.name == names[split], f"{style}: folder {images}")
        expect(dataset["reduce_zero_label"] == (style == "ade"), f"{style}: reduce_zero_label")
        listed = sorted(images.iterdir())
        expect([int(file.stem) for file in listed] == data.splits.get(split, []), f"{style} {split}: other pictures")
        expect(len(list(masks.iterdir())) == len(listed), f"{style} {split}: pictures and masks differ")
        for file in listed:
            index = int(file.stem)
            expect(file.suffix == dataset["img_suffix"], f"{style}: {file}")
            check_picture(run, index, file)
            with Image.open(masks / (file.stem + dataset["seg_map_suffix"])) as image:
                expect(image.mode == "L", f"{style} {index}: mode {image.mode}")
                found = numpy.asarray(image).astype(numpy.int64)
            mask = run.mask(index)
            expected = numpy.where(mask == run.ignored(), 0, mask) if style == "ade" else mask
            expect((found == expected).all(), f"{style} {index}: differs from the run's mask")
            count += 1
    return f"{style}: {count} masks equal the run's"


def check_rows(data, split, rows, what):
    """Rows of Hugging Face's columns."""
    indices = set()
    for row in rows:
        index = int(row["name"])
        indices.add(index)
        record = data.run.records[index]
        expect(row["prompt"] == record["prompt"], f"{what} {index}: prompt {row['prompt']!r}")
        expect(row["seed"] == record["seed"], f"{what} {index}: seed")
        check_mask(data.run, index, row["mask"], what)
        check_instances(data.run, index, row["instances"], what)
        compare_pictures(data.run, index, row["image"], what)
    expect(indices == set(data.splits[split]), f"{what} {split}: {len(indices)} samples")
    return len(indices)


def check_hub(data, builder):
    from datasets import load_dataset

    if builder == "imagefolder":
        loaded = load_dataset("imagefolder", data_dir=str(data.folder / builder))
    else:
        pattern = str(data.folder / builder / "{}-*.parquet")
        loaded = load_dataset("parquet", data_files={HUB_NAMES[split]: pattern.format(HUB_NAMES[split]) for split in data.splits})
    expect(set(loaded) == {HUB_NAMES[split] for split in data.splits}, f"{builder}: splits {set(loaded)}")
    count = sum(check_rows(data, split, loaded[HUB_NAMES[split]], builder) for split in data.splits)
    if builder == "parquet":
        # What the card's head says of the folder.
        whole = load_dataset(str(data.folder))
        expect({name: rows.num_rows for name, rows in whole.items()} == {name: rows.num_rows for name, rows in loaded.items()}, "the card's head gives another set")
        expect(all(rows.features == loaded[name].features for name, rows in whole.items()), "the card's head gives other columns")
    return f"{builder}: {count} rows of load_dataset equal the run"


def check_webdataset(data):
    import webdataset
    from datasets import load_dataset

    root = data.folder / "webdataset"

    def grey(stream):
        return Image.open(io.BytesIO(stream))

    masks = [webdataset.handle_extension(name, grey) for name in ("mask.png", "instances.png")]
    count = 0
    for split, indices in data.splits.items():
        shards = [str(file) for file in sorted(root.glob(f"{HUB_NAMES[split]}-*.tar"))]
        rows = list(webdataset.WebDataset(shards, shardshuffle=False).decode(*masks, "pil"))
        expect([int(row["__key__"]) for row in rows] == indices, f"webdataset {split}: other samples")
        for row in rows:
            index = int(row["__key__"])
            record = data.run.records[index]
            expect(row["txt"] == row["json"]["prompt"] == record["prompt"], f"webdataset {index}: prompt")
            expect(row["json"]["seed"] == record["seed"] and row["json"]["width"] == record["width"], f"webdataset {index}: facts")
            check_mask(data.run, index, row["mask.png"], "webdataset")
            check_instances(data.run, index, row["instances.png"], "webdataset")
            compare_pictures(data.run, index, row.get("jpg", row.get("png")), "webdataset", exact="png" in row)
            count += 1
        for shard in shards:
            listed = subprocess.run(["tar", "--list", "--verbose", "--file", shard], check=True, capture_output=True, text=True)
            expect(not listed.stderr and "1970-01-01" in listed.stdout, f"tar says {listed.stderr}")
        hub = load_dataset("webdataset", data_files={"train": shards}, split="train")
        expect([int(row["__key__"]) for row in hub] == indices, f"webdataset {split}: load_dataset gives other samples")
        for row in hub:
            check_mask(data.run, int(row["__key__"]), row["mask.png"], "webdataset by load_dataset")
            expect(row["json"]["prompt"] == data.run.records[int(row["__key__"])]["prompt"], f"webdataset {row['__key__']}: prompt by load_dataset")
    return f"webdataset: {count} samples of WebDataset and of load_dataset equal the run"


def check_yolo(data):
    from pycocotools import mask as coco
    from ultralytics.data.dataset import YOLODataset
    from ultralytics.utils import YAML

    root, run = data.folder / "yolo", data.run
    config = YAML.load(root / "data.yaml")
    expect(list(config["names"].values()) == run.names, f"yolo: names {config['names']}")
    config["channels"] = 3
    lines = [line.split("\t") for line in (root / "differences.tsv").read_text().splitlines()[1:]]
    parted = {(int(line[0]), line[2]) for line in lines if int(line[5]) > 1}
    rows_read, exact = 0, 0
    for split, indices in data.splits.items():
        large = [index for index in indices if min(run.mask(index).shape) >= 10]
        before = {file: file.read_bytes() for file in sorted((root / config[split]).iterdir())}
        try:
            read = YOLODataset(img_path=str(root / config[split]), data=config, task="segment", imgsz=64, augment=False).labels
        except RuntimeError as error:
            # It refuses pictures with a side below 10 pixels, and a split that has no others, of which it keeps no results.
            expect(not large and "No valid images" in str(error), f"yolo {split}: {error}")
            read = []
        else:
            [cache] = root.rglob("*.cache")
            cached = numpy.load(cache, allow_pickle=True).item()
            cache.unlink()
            found, missing, empty, corrupt, total = cached["results"]
            expect(total == len(indices) and corrupt == len(indices) - len(large), f"yolo {split}: {cached['results']} {cached['msgs'][:3]}")
            expect(missing == 0 and not any("duplicate" in text for text in cached["msgs"]), f"yolo {split}: {cached['msgs'][:3]}")
        expect(before == {file: file.read_bytes() for file in sorted((root / config[split]).iterdir())}, f"yolo {split}: pictures were changed")
        labels = {int(pathlib.Path(label["im_file"]).stem): label for label in read}
        expect(sorted(labels) == large, f"yolo {split}: {len(labels)} labels")
        for index in indices:
            mask = run.mask(index)
            height, width = mask.shape
            rows = (root / "labels" / split / f"{data.name(index)}.txt").read_text().splitlines()
            if index in labels:
                expect(len(labels[index]["segments"]) == len(rows), f"yolo {index}: {len(rows)} rows, others read")
                rows_read += len(rows)
            filled = {}
            for row in rows:
                words = row.split()
                corners = numpy.array([float(word) for word in words[1:]]).reshape(-1, 2) * [width, height]
                pixels = coco.decode(coco.frPyObjects([corners.reshape(-1).tolist()], height, width))[:, :, 0].astype(bool)
                filled[int(words[0]) + 1] = filled.get(int(words[0]) + 1, False) | pixels
            shown = set(mask.flat) - {0, run.ignored()}
            expect(set(filled) == shown, f"yolo {index}: classes {set(filled)}")
            for category, pixels in filled.items():
                expected = mask == category
                if (index, run.names[category - 1]) in parted:
                    expect(pixels[expected].all(), f"yolo {index}: class {category} lacks pixels")
                else:
                    exact += 1
                    expect((pixels == expected).all(), f"yolo {index}: class {category} encloses other pixels")
    return f"yolo: {rows_read} rows read by ultralytics, none refused or doubled; {exact} regions enclose the run's pixels exactly, {len(parted)} have rows for their pieces"


def check_labelme(data):
    from labelme._label_file import read_label_file
    from loguru import logger

    logger.remove()

    root, count = data.folder / "labelme", 0
    labels = (root / "labels.txt").read_text().split("\n")[:-1]
    expect(labels == ["__ignore__", "_background_"] + data.run.names, f"labelme: labels {labels}")
    for split, indices in data.splits.items():
        for index in indices:
            label = read_label_file(str(root / split / f"{data.name(index)}.json"))
            mask = data.run.mask(index)
            rebuilt = numpy.zeros_like(mask)
            for shape in label.shapes:
                (left, top), (right, bottom) = shape["points"]
                pixels = shape["mask"]
                expect(shape["shape_type"] == "mask" and pixels.shape == (bottom - top + 1, right - left + 1), f"labelme {index}: shape")
                category = data.run.ignored() if shape["label"] == "__ignore__" else data.run.names.index(shape["label"]) + 1
                rebuilt[top : bottom + 1, left : right + 1][pixels] = category
            expect((rebuilt == mask).all(), f"labelme {index}: differs from the run's mask")
            expect(label.other_data["prompt"] == data.run.records[index]["prompt"], f"labelme {index}: prompt")
            with Image.open(io.BytesIO(label.image_data)) as image:
                compare_pictures(data.run, index, image, "labelme", exact=image.format == "PNG")
            count += 1
    return f"labelme: {count} files rebuild the run's masks"


def check_croissant(data):
    import mlcroissant

    path = data.folder / "croissant.json"
    program = pathlib.Path(sys.executable).with_name("mlcroissant")
    subprocess.run([program, "validate", "--jsonld", path], check=True, capture_output=True)
    dataset = mlcroissant.Dataset(jsonld=str(path))
    expect(not dataset.metadata.issues.errors, f"croissant: {dataset.metadata.issues.report()}")
    seen = set()
    for record in dataset.records("samples"):
        row = {key.split("/")[1]: value for key, value in record.items()}
        row = {key: value.decode() if isinstance(value, bytes) else value for key, value in row.items()}
        index = int(row["name"])
        seen.add(index)
        expect(index in data.splits[{hub: split for split, hub in HUB_NAMES.items()}[row["split"]]], f"croissant {index}: split {row['split']}")
        expect(row["prompt"] == data.run.records[index]["prompt"], f"croissant {index}: prompt")
        check_mask(data.run, index, row["mask"], "croissant")
        check_instances(data.run, index, row["instances"], "croissant")
    expect(seen == set(data.run.records), f"croissant: {len(seen)} records")
    return f"croissant: valid, {len(seen)} records equal the run"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    run = Run(sys.argv[1])
    data = Set(sys.argv[2], run)
    checks = {
        "mmseg": lambda: check_folders(data, "mmseg"), "ade": lambda: check_folders(data, "ade"),
        "imagefolder": lambda: check_hub(data, "imagefolder"), "parquet": lambda: check_hub(data, "parquet"),
        "webdataset": lambda: check_webdataset(data), "yolo": lambda: check_yolo(data), "labelme": lambda: check_labelme(data),
        "croissant.json": lambda: check_croissant(data),
    }
    done = 0
    for name, check in checks.items():
        if (data.folder / name).exists():
            print(check(), flush=True)
            done += 1
    expect(done > 0, f"{data.folder} holds none of {', '.join(checks)}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as cache:
        # Nothing is fetched, and what the libraries keep for later goes with the folder.
        os.environ.update(HF_HOME=cache, HF_DATASETS_OFFLINE="1", HF_HUB_OFFLINE="1", YOLO_CONFIG_DIR=cache, YOLO_OFFLINE="1", QT_QPA_PLATFORM="offscreen", HF_DATASETS_DISABLE_PROGRESS_BARS="1", CROISSANT_CACHE=cache, YOLO_VERBOSE="false")
        main()
