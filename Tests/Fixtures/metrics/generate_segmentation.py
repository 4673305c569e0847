"""Makes the fixtures of data set metrics: NumPy alone for scores, PyTorch for resizing episodes.

segmentation.safetensors   "few": 6 classes, one only predicted, one in neither, pictures down to 1 x 1; "many": 300
                           classes. For each the means with absent classes left out and counted as 0: mIoU, pixel
                           accuracy, mean accuracy, frequency weighted IoU, boundary IoU, combined; by class IoU, accuracy
                           and boundary IoU (-1 where undefined). A split's seen, unseen and harmonic mIoU.
                           "episode": two-way masks of odd sizes with ignored pixels, brought to 480 x 480 by PyTorch, and
                           the few-shot mIoU and FB-IoU of three classes, one without an episode.
                           "draw": numpy.random.choice after numpy.random.seed.

Versions: ../requirements.txt, and any NumPy.
"""

import pathlib
import pickle
import sys

import numpy as np
import torch

here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent))
from fixture_io import Case

IGNORED = 65535
rng = np.random.default_rng(11)
case = Case(11)


def blobs(height, width, ids):
    """Overlapping ellipses of some classes."""
    mask = np.full((height, width), ids[0], np.int32)
    y, x = np.mgrid[:height, :width]
    for number in ids[1:]:
        cy, cx = rng.uniform(0, height), rng.uniform(0, width)
        ry, rx = rng.uniform(0.1, 0.4, 2) * (height, width) + 0.1
        mask[((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1] = number
    return mask


def worse(mask, ids):
    moved = np.roll(mask, rng.integers(-2, 3, 2), (0, 1)).copy()
    noise = rng.random(mask.shape) < 0.06
    moved[noise] = rng.choice(ids, noise.sum())
    return moved


def erode(mask):
    """3 x 3 with zeros outside."""
    padded = np.pad(mask, 1)
    h, w = mask.shape
    return np.all([padded[i : i + h, j : j + w] for i in range(3) for j in range(3)], axis=0)


def band(mask):
    inner = mask
    for _ in range(max(1, int(round(0.02 * np.hypot(*mask.shape))))):
        inner = erode(inner)
    return mask & ~inner


def ratio(a, b):
    return np.where(b > 0, a / np.maximum(b, 1), -1.0)


def scores(name, classes, pairs, seen):
    """classes: how many, ids from 0."""
    confusion = np.zeros((classes, classes), np.int64)
    bands = np.zeros((2, classes), np.int64)  # both, either
    for number, (truth, prediction) in enumerate(pairs):
        case.integers(f"{name}.truth.{number}", truth)
        case.integers(f"{name}.prediction.{number}", prediction)
        counts = truth != IGNORED
        np.add.at(confusion, (truth[counts], prediction[counts]), 1)
        for c in np.union1d(truth[counts], prediction[counts]):
            t, p = band((truth == c) & counts), band((prediction == c) & counts)
            bands[:, c] += [(t & p).sum(), (t | p).sum()]
    matched, true, predicted = np.diag(confusion), confusion.sum(1), confusion.sum(0)
    iou = ratio(matched, true + predicted - matched)
    edge = ratio(*bands)
    there = true > 0
    zero = lambda values: np.where(there, values, 0)
    common = [
        matched.sum() / true.sum(),
        ratio(matched, true)[there].mean(),
        (true / true.sum() * np.maximum(iou, 0)).sum(),
    ]
    case.output(
        f"{name}.scores",
        torch.tensor(
            [
                [iou[there].mean(), *common, edge[there].mean(), np.minimum(iou, edge)[there].mean()],
                [zero(iou).mean(), *common, zero(edge).mean(), zero(np.minimum(iou, edge)).mean()],
            ]
        ),
    )
    case.output(f"{name}.iou", torch.tensor(iou))
    case.output(f"{name}.accuracy", torch.tensor(ratio(matched, true)))
    case.output(f"{name}.boundary", torch.tensor(edge))
    old = np.isin(np.arange(classes), seen)
    s, u = iou[there & old].mean(), iou[there & ~old].mean()
    case.output(f"{name}.split", torch.tensor([s, u, 2 * s * u / (s + u)]))


few = []
for height, width in [(24, 31), (1, 1), (40, 17), (1, 9)]:
    truth = blobs(height, width, [0, 1, 2, 3, 1])
    # 4 is only predicted, 5 is nowhere.
    prediction = worse(truth, [0, 1, 2, 3, 4])
    truth[rng.random(truth.shape) < 0.05] = IGNORED
    few.append((truth, prediction))
few.append((np.full((5, 6), IGNORED, np.int32), blobs(5, 6, [0, 2])))
scores("few", 6, few, [0, 1, 2])

many = []
for _ in range(2):
    truth = blobs(30, 44, list(rng.choice(300, 40)))
    many.append((truth, worse(truth, np.arange(300))))
scores("many", 300, many, list(range(0, 300, 2)))

# One class against the rest, at 480 x 480.
sums = np.zeros((2, 3, 2), np.int64)  # background and foreground; class; both, either
for number, (height, width, label) in enumerate([(37, 53, 0), (500, 3, 1), (9, 481, 0), (480, 4, 1)]):
    truth = (blobs(height, width, [0, 1, 0, 1]) == 1).astype(np.int32)
    prediction = worse(truth, [0, 1])
    truth[rng.random(truth.shape) < 0.04] = IGNORED
    case.integers(f"episode.truth.{number}", truth)
    case.integers(f"episode.prediction.{number}", prediction)
    case.integers(f"episode.class.{number}", [label])
    large = [
        torch.nn.functional.interpolate(
            torch.from_numpy(mask)[None, None].float(), (480, 480), mode="nearest"
        )[0, 0].numpy()
        for mask in (truth, prediction)
    ]
    case.integers(f"episode.sum.{number}", [int((large[0] == 1).sum()), int((large[1] == 1).sum())])
    counts = large[0] != IGNORED
    for side in range(2):
        t, p = (large[0] == side) & counts, (large[1] == side) & counts
        sums[side, label] += [(t & p).sum(), (t | p).sum()]
foreground = sums[1, :, 0] / np.maximum(sums[1, :, 1], 1)
both = sums.sum(1)
case.output("episode.iou", torch.tensor(foreground))
case.output("episode.scores", torch.tensor([foreground.mean(), (both[:, 0] / both[:, 1]).mean()]))

np.random.seed(0)
draws = [[np.random.choice(n, 1, replace=False)[0] for n in (20, 727, 1, 19217)] for _ in range(8)]
case.integers("draw", np.array(draws))
case.save(here / "segmentation.safetensors", numpy=np.__version__)

# As COCO-20i's published lists are pickled: the pictures of each class of all 80, only those of the fold having some.
with open(here / "fold0.pkl", "wb") as file:
    names = ["val2014/m.jpg", "val2014/n.jpg"]
    pickle.dump({number: names if number % 4 == 0 else [] for number in range(80)}, file, protocol=3)
