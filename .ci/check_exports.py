"""Reads an exported data set with the loaders that people use and compares it with its run, pixel for pixel.

    check_exports.py coco RUN SET     pycocotools (annToMask, area, box, COCOeval against itself), panopticapi
    check_exports.py voc RUN SET      torchvision's VOCSegmentation and VOCDetection

The two need different packages and may run under different interpreters.
"""
import contextlib
import hashlib
import io
import json
import pathlib
import sys
import xml.etree.ElementTree as ElementTree

import numpy
from PIL import Image

SPLITS = ("train", "val", "test")


def expect(condition, message):
    if not condition:
        sys.exit(f"check_exports: {message}")


class Run:
    """The run folder as it stands, read without triptych."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        lines = (self.folder / "classes.tsv").read_text().splitlines()
        rows = [line.split("\t") for line in lines if not line.startswith("#")]
        self.names = [row[1] for row in rows]
        self.category = {int(row[0]): place + 1 for place, row in enumerate(rows)}
        self.depth = 8 if max(self.category) <= 254 else 16
        self.records = {}
        for file in sorted(self.folder.glob("shards/*/records.jsonl")):
            for line in file.read_bytes().split(b"\n")[:-1]:
                record = json.loads(line)
                if record["accepted"] and record["mask"]:
                    record["folder"] = file.parent
                    self.records[record["index"]] = record

    def mask(self, index):
        """Categories from 1, 0 background, 255 ignored where there are at most 254 classes, else 65535."""
        record = self.records[index]
        with Image.open(record["folder"] / record["mask"]) as image:
            ids = numpy.asarray(image).astype(numpy.int64)
        ignored = ids == (255 if self.depth == 8 else 65535)
        mask = numpy.zeros_like(ids)
        for class_id, category in self.category.items():
            mask[ids == class_id] = category
        expect(((mask > 0) | (ids == 0) | ignored).all(), f"sample {index}: unknown class")
        mask[ignored] = 255 if len(self.names) <= 254 else 65535
        return mask

    def ignored(self):
        return 255 if len(self.names) <= 254 else 65535

    def picture(self, index):
        record = self.records[index]
        with Image.open(record["folder"] / record["image"]) as image:
            return numpy.asarray(image.convert("RGB")).astype(numpy.int64)


def check_manifest(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    listed = {file["path"] for file in manifest["files"]}
    there = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    expect(there == listed | {"manifest.json"}, f"{folder}: files and manifest differ")
    for file in manifest["files"]:
        data = (folder / file["path"]).read_bytes()
        expect(hashlib.sha256(data).hexdigest() == file["sha256"], f"{file['path']}: other bytes")
    return manifest


def check_picture(run, index, path):
    with Image.open(path) as image:
        expect(image.mode == "RGB" and not image.getexif(), f"{path}: mode {image.mode} or Exif")
        pixels = numpy.asarray(image).astype(numpy.int64)
    compare_pictures(run, index, pixels, path, exact=path.suffix == ".png")
    if path.suffix != ".png":
        expect(path.read_bytes()[-2:] == b"\xff\xd9", f"{path}: does not end with an end marker")


def compare_pictures(run, index, picture, what, exact=False):
    pixels, original = numpy.asarray(picture).astype(numpy.int64), run.picture(index)
    expect(pixels.shape == original.shape, f"{what} {index}: {pixels.shape}, the run has {original.shape}")
    if exact:
        expect((pixels == original).all(), f"{what} {index}: other pixels than the run's")
    error = numpy.abs(pixels - original).mean()
    expect(error < 8, f"{what} {index}: {error:.2f} levels from the run's picture on average")


def check_coco(run, folder):
    from pycocotools import mask as coco_mask
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def load(name):
        with contextlib.redirect_stdout(io.StringIO()):
            return COCO(str(folder / "annotations" / f"{name}.json"))

    seen, outlines, annotations, scored = set(), 0, 0, 0
    ids = set()
    for split in SPLITS:
        if not (folder / f"annotations/instances_{split}.json").exists():
            continue
        exact, outlined = load(f"instances_{split}"), load(f"instances_{split}_polygons")
        names = [category["name"] for category in exact.loadCats(exact.getCatIds())]
        expect(names == run.names, f"{split}: categories {names}")
        expect(exact.getCatIds() == list(range(1, len(names) + 1)), f"{split}: category ids")
        captions = load(f"captions_{split}")
        for image in exact.loadImgs(exact.getImgIds()):
            index = image["id"] - 1
            expect(index not in seen, f"image {image['id']} is in two splits")
            seen.add(index)
            mask = run.mask(index)
            expect(mask.shape == (image["height"], image["width"]), f"image {image['id']}: size")
            check_picture(run, index, folder / "images" / split / image["file_name"])
            caption = captions.loadAnns(captions.getAnnIds(imgIds=[image["id"]]))
            expect([one["caption"] for one in caption] == [run.records[index]["prompt"]], f"image {image['id']}: prompt")
            rebuilt = numpy.zeros_like(mask)
            for annotation in exact.loadAnns(exact.getAnnIds(imgIds=[image["id"]])):
                annotations += 1
                expect(annotation["id"] not in ids, f"annotation {annotation['id']} occurs twice")
                ids.add(annotation["id"])
                pixels = exact.annToMask(annotation).astype(bool)
                expect(pixels.shape == mask.shape, f"annotation {annotation['id']}: shape")
                expect(pixels.sum() == annotation["area"] > 0, f"annotation {annotation['id']}: area")
                box = coco_mask.toBbox(exact.annToRLE(annotation)).tolist()
                expect(box == annotation["bbox"], f"annotation {annotation['id']}: box {box}")
                again = coco_mask.encode(numpy.asfortranarray(pixels.astype(numpy.uint8)))
                expect(again["counts"].decode() == annotation["segmentation"]["counts"], f"annotation {annotation['id']}: counts")
                expect((rebuilt[pixels] == 0).all(), f"annotation {annotation['id']}: overlaps another")
                rebuilt[pixels] = annotation["category_id"]
                other = outlined.anns[annotation["id"]]
                filled = outlined.annToMask(other).astype(bool)
                expect(filled.sum() == other["area"], f"annotation {annotation['id']}: area of its outline")
                expect(coco_mask.toBbox(outlined.annToRLE(other)).tolist() == other["bbox"], f"annotation {annotation['id']}: box of its outline")
                agreement = (filled & pixels).sum() / (filled | pixels).sum()
                expect(agreement >= 0.995, f"annotation {annotation['id']}: its outline agrees to {agreement}")
                outlines += isinstance(other["segmentation"], list)
            expect((rebuilt == numpy.where(mask == run.ignored(), 0, mask)).all(), f"image {image['id']}: masks differ from the run's")
        expect(len(outlined.anns) == len(exact.anns), f"{split}: outlines")
        for truth in (exact, outlined):
            if truth.anns:
                scored += 1
                check_evaluation(truth, COCOeval)
        check_panoptic(run, folder, split, len(exact.imgs))
    expect(seen == set(run.records), f"{len(seen)} images, the run has {len(run.records)} accepted samples")
    print(f"coco: {len(seen)} images, {annotations} annotations equal the run's masks pixel for pixel; {outlines} as outlines; "
          f"COCOeval of {scored} files against themselves: AP 1.0; panopticapi: PQ 1.0")


def check_evaluation(truth, evaluator):
    found = [dict(annotation, score=1.0) for annotation in truth.dataset["annotations"]]
    for annotation in found:
        if isinstance(annotation["segmentation"], list):
            annotation["segmentation"] = truth.annToRLE(annotation)
    for kind in ("segm", "bbox"):
        with contextlib.redirect_stdout(io.StringIO()):
            results = truth.loadRes([{key: one[key] for key in ("image_id", "category_id", "segmentation", "bbox", "score")} for one in found])
            evaluation = evaluator(truth, results, kind)
            # A picture may hold more instances of a class than the usual hundred.
            evaluation.params.maxDets = [1, 10, 1000]
            evaluation.evaluate()
            evaluation.accumulate()
        precision = evaluation.eval["precision"][:, :, :, 0, -1]
        precision = precision[precision > -1]
        expect(precision.size > 0 and (precision > 0.999999).all(), f"{kind}: AP {precision.mean()} against itself")


def check_panoptic(run, folder, split, count):
    from panopticapi.evaluation import pq_compute, pq_compute_multi_core
    from panopticapi.utils import rgb2id

    file = folder / "annotations" / f"panoptic_{split}.json"
    document = json.loads(file.read_text())
    expect(len(document["annotations"]) == count, f"panoptic {split}: {len(document['annotations'])} images")
    background = [one["id"] for one in document["categories"] if not one["isthing"]]
    expect(background == [len(run.names) + 1], f"panoptic {split}: stuff {background}")
    shown = set()
    for annotation in document["annotations"]:
        with Image.open(file.with_suffix("") / annotation["file_name"]) as image:
            expect(image.mode == "RGB", f"{annotation['file_name']}: mode {image.mode}")
            ids = rgb2id(numpy.asarray(image, dtype=numpy.uint32))
        rebuilt = numpy.zeros_like(ids, dtype=numpy.int64)
        for segment in annotation["segments_info"]:
            shown.add(segment["category_id"])
            pixels = ids == segment["id"]
            expect(pixels.sum() == segment["area"], f"segment {segment['id']} of {annotation['file_name']}: area")
            rows, columns = numpy.nonzero(pixels)
            box = [columns.min(), rows.min(), columns.max() - columns.min() + 1, rows.max() - rows.min() + 1]
            expect(box == segment["bbox"], f"segment {segment['id']} of {annotation['file_name']}: box")
            rebuilt[pixels] = segment["category_id"]
        mask = run.mask(annotation["image_id"] - 1)
        expected = numpy.where(mask == 0, background[0], numpy.where(mask == run.ignored(), 0, mask))
        expect((rebuilt == expected).all(), f"{annotation['file_name']}: differs from the run's mask")
    if not shown:
        return
    with contextlib.redirect_stdout(io.StringIO()):
        if shown > set(background):
            results = pq_compute(str(file), str(file))["All"]
        else:
            # It divides by the number of things, and of stuff, that it met.
            pairs = [(one, one) for one in document["annotations"]]
            categories = {one["id"]: one for one in document["categories"]}
            statistics = pq_compute_multi_core(pairs, str(file.with_suffix("")), str(file.with_suffix("")), categories)
            results, _ = statistics.pq_average(categories, isthing=None)
    for key in ("pq", "sq", "rq"):
        expect(abs(results[key] - 1) < 1e-9, f"panoptic {split}: {key} {results[key]} against itself")


def check_voc(run, folder):
    from torchvision.datasets import VOCDetection, VOCSegmentation

    root = folder / "VOCdevkit/VOC2012"
    seen, boxes = set(), 0
    for split in ("train", "val", "trainval"):
        names = (root / f"ImageSets/Segmentation/{split}.txt").read_text().split()
        expect(names == (root / f"ImageSets/Main/{split}.txt").read_text().split(), f"{split}: lists differ")
        if not names:
            continue
        masks = VOCSegmentation(str(folder), "2012", split)
        objects = VOCDetection(str(folder), "2012", split)
        expect(len(masks) == len(objects) == len(names), f"{split}: {len(masks)} samples, the list has {len(names)}")
        for place, name in enumerate(names):
            index = int(name)
            picture, target = masks[place]
            expect(target.mode == "P", f"{name}: mode {target.mode}")
            palette = target.getpalette()
            expect(palette[:9] == [0, 0, 0, 128, 0, 0, 0, 128, 0] and palette[765:] == [224, 224, 192], f"{name}: palette")
            found, mask = numpy.asarray(target).astype(numpy.int64), run.mask(index)
            expect(set(numpy.unique(found)) <= set(range(len(run.names) + 1)) | {255}, f"{name}: unknown classes")
            expect((found == mask).all(), f"{name}: differs from the run's mask")
            expect(picture.size == target.size, f"{name}: sizes differ")
            check_picture(run, index, root / f"JPEGImages/{name}.jpg")
            annotation = objects[place][1]["annotation"]
            boxes += check_boxes(run, name, annotation, found, root)
            seen.add(index)
    rest = root / "ImageSets/Segmentation/test.txt"
    for name in rest.read_text().split() if rest.exists() else []:
        with Image.open(root / f"SegmentationClass/{name}.png") as image:
            expect((numpy.asarray(image).astype(numpy.int64) == run.mask(int(name))).all(), f"{name}: differs from the run's mask")
        boxes += check_boxes(run, name, None, run.mask(int(name)), root)
        expect(int(name) not in seen, f"{name} is in two splits")
        seen.add(int(name))
    expect(seen == set(run.records), f"{len(seen)} samples, the run has {len(run.records)} accepted ones")
    print(f"voc: {len(seen)} masks equal the run's pixel for pixel, {boxes} boxes are tight")


def check_boxes(run, name, annotation, mask, root):
    """The objects of the XML are the instances of SegmentationObject, their boxes tight and counted from 1."""
    with Image.open(root / f"SegmentationObject/{name}.png") as image:
        expect(image.mode == "P", f"{name}: objects of mode {image.mode}")
        numbers = numpy.asarray(image).astype(numpy.int64)
    expect(((numbers == 0) == (mask == 0)).all() and ((numbers == 255) == (mask == 255)).all(), f"{name}: objects and classes differ")
    tree = ElementTree.parse(root / f"Annotations/{name}.xml").getroot()
    objects = tree.findall("object")
    expect(sorted(set(numbers.flat) - {0, 255}) == list(range(1, len(objects) + 1)), f"{name}: instances and XML differ")
    if annotation is not None:
        read = annotation.get("object", [])
        expect(len(read if isinstance(read, list) else [read]) == len(objects), f"{name}: VOCDetection reads other objects")
    for number, element in enumerate(objects, start=1):
        rows, columns = numpy.nonzero(numbers == number)
        tight = [columns.min() + 1, rows.min() + 1, columns.max() + 1, rows.max() + 1]
        box = [int(element.find("bndbox").find(key).text) for key in ("xmin", "ymin", "xmax", "ymax")]
        expect(box == tight, f"{name}: box {box} of object {number}, expected {tight}")
        categories = set(mask[numbers == number].flat)
        expect({run.names.index(element.find("name").text) + 1} == categories, f"{name}: class of object {number}")
    return len(objects)


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("coco", "voc"):
        sys.exit(__doc__)
    run, folder = Run(sys.argv[2]), pathlib.Path(sys.argv[3])
    expect(run.records, f"{run.folder} holds no accepted sample with a mask")
    check_manifest(folder)
    {"coco": check_coco, "voc": check_voc}[sys.argv[1]](run, folder)


if __name__ == "__main__":
    main()
