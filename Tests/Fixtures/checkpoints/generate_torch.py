# Writes the checkpoints of torch.save that CheckpointsTests reads.
# Versions: torch 2.15.0. Run from any folder; the output is the same bytes each time, except that legacy.pth holds
# addresses of memory.
import collections
import os
import pickle

import torch

torch.set_num_threads(1)
here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "torch")
os.makedirs(here, exist_ok=True)


def path(name):
    return os.path.join(here, name)


# The same dyadic numbers as in the safetensors fixtures.
def ramp(count, dtype=torch.float32):
    return ((torch.arange(count, dtype=torch.float64) - 7) * 0.25).to(dtype)


class Named(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(3, 2)
        self.norm = torch.nn.BatchNorm1d(2)
        with torch.no_grad():
            self.linear.weight.copy_(ramp(6).reshape(2, 3))
            self.linear.bias.copy_(ramp(2))


# A module's own state, with its version metadata and a count of batches.
torch.save(Named().state_dict(), path("module.pth"))

# Every type, and views: a slice with an offset, a transposed matrix, a column, an empty tensor, a number.
matrix = ramp(12).reshape(3, 4)
everything = {
    "f64": ramp(12, torch.float64).reshape(3, 4),
    "f32": ramp(30).reshape(2, 3, 5),
    "f16": ramp(35, torch.float16).reshape(5, 7),
    "bf16": ramp(33, torch.bfloat16),
    "i64": torch.tensor([0, 1, -1, 2**62, -(2**63)], dtype=torch.int64),
    "i32": torch.tensor([1, -1], dtype=torch.int32),
    "u8": torch.tensor([0, 255], dtype=torch.uint8),
    "bool": torch.tensor([True, False]),
    "scalar": torch.tensor(2.5),
    "empty": torch.zeros(0, 3),
    "rows": matrix[1:],
    "transposed": matrix.t(),
    "column": matrix[:, 2],
    "parameter": torch.nn.Parameter(matrix),
}
torch.save(everything, path("every-type.pt"))
torch.save(everything, path("protocol-4.pt"), pickle_protocol=4)

# A training checkpoint: tensors under a key, and beside it what is not read.
ModelCheckpoint = type("ModelCheckpoint", (), {})
ModelCheckpoint.__module__ = "pytorch_lightning.callbacks.model_checkpoint"
ModelCheckpoint.__qualname__ = "ModelCheckpoint"
import sys, types
module = types.ModuleType("pytorch_lightning.callbacks.model_checkpoint")
module.ModelCheckpoint = ModelCheckpoint
for name in ["pytorch_lightning", "pytorch_lightning.callbacks"]:
    sys.modules[name] = types.ModuleType(name)
sys.modules[module.__name__] = module
torch.save(
    {
        "epoch": 3,
        "global_step": 470000,
        "pytorch-lightning_version": "1.4.2",
        "state_dict": collections.OrderedDict(
            [("model.weight", ramp(4)), ("model_ema.decay", torch.tensor(0.5)), ("betas", ramp(3))]
        ),
        "callbacks": {ModelCheckpoint: {"monitor": "loss", "best_model_score": torch.tensor(0.5), "dirpath": None}},
        "optimizer_states": [{"state": {0: {"step": 7, "exp_avg": ramp(4)}}, "param_groups": [{"lr": 1e-4}]}],
        "lr_schedulers": [],
    },
    path("training.ckpt"),
)

# Files that are refused: they name functions, other classes, or are of the old format.
class Call:
    def __reduce__(self):
        return (os.system, ("touch /tmp/triptych-was-here",))


torch.save({"weight": ramp(2), "extra": Call()}, path("calls.pth"))
torch.save({"weight": ramp(2), "when": slice(1, 2)}, path("class.pth"))
torch.save(Named().state_dict(), path("legacy.pth"), _use_new_zipfile_serialization=False)
torch.save(ramp(3), path("bare-tensor.pt"))
torch.save({"epoch": 3, "notes": {"a": 1}}, path("no-tensors.pt"))

# A tensor of six elements that says it has seven.
import io
import zipfile

buffer = io.BytesIO()
torch.save({"weight": ramp(6)}, buffer)
with zipfile.ZipFile(buffer) as sound, zipfile.ZipFile(path("outside.pth"), "w", zipfile.ZIP_STORED) as broken:
    for name in sound.namelist():
        data = sound.read(name)
        if name.endswith("/data.pkl"):
            assert data.count(b"K\x06\x85") == 1
            data = data.replace(b"K\x06\x85", b"K\x07\x85")
        broken.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
