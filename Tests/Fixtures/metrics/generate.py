"""Makes the fixtures of the metrics: NumPy alone, after the definitions.

scores.safetensors   truths and predictions of three sizes with ignored pixels (255), and what they are worth:
                     the confusion matrix, intersection over union by class (-1 where undefined), accuracy, frequency
                     weighted; then the grounding protocol: only named classes compete, sums over the pictures that name
                     a class; boundary IoU by class with bands of 2 % of the diagonal.

Versions: ../requirements.txt, and any NumPy.
"""

import pathlib
import sys

import numpy as np
import torch

here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent))
from fixture_io import Case

CLASSES = 6  # 0 is the background
IGNORED = 255
rng = np.random.default_rng(7)


def blobs(height, width, count):
    """Overlapping ellipses of random classes."""
    mask = np.zeros((height, width), np.uint8)
    y, x = np.mgrid[:height, :width]
    for _ in range(count):
        cy, cx = rng.uniform(0, height), rng.uniform(0, width)
        ry, rx = rng.uniform(0.1, 0.45, 2) * (height, width)
        mask[((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1] = rng.integers(1, CLASSES - 1)
    return mask


def worse(mask):
    """A prediction: the mask moved, and some pixels of other classes."""
    moved = np.roll(mask, rng.integers(-4, 5, 2), (0, 1)).copy()
    noise = rng.random(mask.shape) < 0.05
    moved[noise] = rng.integers(0, CLASSES, noise.sum())
    return moved


def erode(mask):
    """3 x 3 with zeros outside."""
    padded = np.pad(mask, 1)
    h, w = mask.shape
    return np.all([padded[i : i + h, j : j + w] for i in range(3) for j in range(3)], axis=0)


def band(mask, distance):
    inner = mask
    for _ in range(distance):
        inner = erode(inner)
    return mask & ~inner


def ratio(a, b):
    return np.where(b > 0, a / np.maximum(b, 1), -1.0)


case = Case(7)
confusion = np.zeros((CLASSES, CLASSES), np.int64)
sums = np.zeros((4, CLASSES), np.int64)  # region: both, either; band: both, either
for number, (height, width) in enumerate([(40, 56), (64, 64), (33, 100)]):
    truth = blobs(height, width, 5)
    prediction = worse(truth)
    truth[rng.random(truth.shape) < 0.03] = IGNORED
    counts = truth != IGNORED
    np.add.at(confusion, (truth[counts], prediction[counts]), 1)
    named = sorted(rng.choice(np.arange(1, CLASSES), 3, replace=False).tolist())
    distance = max(1, int(round(0.02 * np.hypot(height, width))))
    for c in named:
        t, p = (truth == c) & counts, (prediction == c) & counts
        bt, bp = band(t, distance), band(p, distance)
        sums[:, c] += [(t & p).sum(), (t | p).sum(), (bt & bp).sum(), (bt | bp).sum()]
    case.tensors[f"truth.{number}"] = torch.from_numpy(truth)
    case.tensors[f"prediction.{number}"] = torch.from_numpy(prediction)
    case.integers(f"named.{number}", named)
    case.integers(f"distance.{number}", [distance])
    region = truth == named[0]
    case.tensors[f"band.{number}"] = torch.from_numpy(band(region, distance).astype(np.uint8))

matched, true, predicted = np.diag(confusion), confusion.sum(1), confusion.sum(0)
iou = ratio(matched, true + predicted - matched)
accuracy = ratio(matched, true)
case.integers("confusion", confusion)
case.output("iou", torch.tensor(iou))
case.output("accuracy", torch.tensor(accuracy))
there = true > 0
case.output(
    "scores",
    torch.tensor(
        [
            iou[there].mean(),
            np.where(there, iou, 0).mean(),
            matched.sum() / true.sum(),
            accuracy[there].mean(),
            (true / true.sum() * np.maximum(iou, 0)).sum(),
        ]
    ),
)
case.output("named.iou", torch.tensor(ratio(sums[0], sums[1])))
case.output("named.boundary", torch.tensor(ratio(sums[2], sums[3])))
case.save(here / "scores.safetensors", numpy=np.__version__)
