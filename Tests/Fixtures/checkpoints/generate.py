# Writes the fixtures of CheckpointsTests with the reference implementation of the format.
# Versions: safetensors 0.8.0, torch 2.15.0. Run from any folder; the output is the same bytes each time.
import json
import os

import torch
from safetensors.torch import save, save_file

torch.set_num_threads(1)
here = os.path.dirname(os.path.abspath(__file__))


def path(*parts):
    full = os.path.join(here, *parts)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    return full


# Every type that is read. The values are small dyadic numbers, so that each type holds them exactly; the
# tests build the same ones from the index.
def ramp(count, dtype):
    return ((torch.arange(count, dtype=torch.float64) - 7) * 0.25).to(dtype)


save_file(
    {
        "f64": ramp(12, torch.float64).reshape(3, 4),
        "f32": ramp(30, torch.float32).reshape(2, 3, 5),
        "f16": ramp(35, torch.float16).reshape(5, 7),
        "bf16": ramp(33, torch.bfloat16),
        "i64": torch.tensor([0, 1, -1, 2**62, -(2**63)], dtype=torch.int64),
        "i32": torch.tensor([[0, 1], [-1, 2**31 - 1], [-(2**31), 7]], dtype=torch.int32),
        "u8": torch.tensor([0, 1, 127, 255], dtype=torch.uint8),
        "bool": torch.tensor([True, False, True]),
        "scalar": torch.tensor(2.5, dtype=torch.float32),
        "empty": torch.zeros(0, 3, dtype=torch.float32),
        "nested.key.weight": torch.tensor([[[[1.0]]]], dtype=torch.float32),
        "\u00e9t\u00e9 \"quoted\"": torch.tensor([0.5], dtype=torch.float32),
    },
    path("every-type.safetensors"),
    metadata={"format": "pt"},
)

# All 65536 bit patterns of the two 16-bit types would be 256 kB; every 16th covers each exponent and sign.
patterns = torch.arange(0, 65536, 16, dtype=torch.int32).to(torch.uint16)
finite16 = patterns.view(torch.float16).isfinite()
finiteb16 = patterns.view(torch.bfloat16).isfinite()
half = patterns.view(torch.float16)[finite16]
brain = patterns.view(torch.bfloat16)[finiteb16]
save_file(
    {
        "f16": half.contiguous(),
        "f16.as_f32": half.to(torch.float32),
        "bf16": brain.contiguous(),
        "bf16.as_f32": brain.to(torch.float32),
    },
    path("sixteen-bit.safetensors"),
)

# What our writer must reproduce to the byte. F16 and BF16 are not mixed: the reference orders types among
# those of equal size by its own list.
for name in ["f16", "bf16"]:
    dtype = {"f16": torch.float16, "bf16": torch.bfloat16}[name]
    with open(path(f"writer-{name}.safetensors"), "wb") as file:
        file.write(
            save(
                {
                    "b.weight": ramp(6, torch.float32).reshape(2, 3),
                    "a.weight": ramp(6, torch.float32).reshape(3, 2),
                    "z.half": ramp(5, dtype),
                    "c.half": ramp(3, dtype) / 3,
                    "positions": torch.arange(4, dtype=torch.int64).reshape(1, 4),
                },
                metadata={"format": "pt"},
            )
        )

# Two shards as transformers and diffusers write them.
shards = {
    "model-00001-of-00002.safetensors": {"a.weight": ramp(4, torch.float32), "a.bias": ramp(2, torch.float16)},
    "model-00002-of-00002.safetensors": {"b.weight": ramp(6, torch.bfloat16).reshape(2, 3)},
}
weight_map = {}
for name, tensors in shards.items():
    save_file(tensors, path("shards", name), metadata={"format": "pt"})
    weight_map.update({key: name for key in tensors})
with open(path("shards", "model.safetensors.index.json"), "w") as file:
    json.dump({"metadata": {"total_size": 32}, "weight_map": weight_map}, file, indent=2, sort_keys=True)
    file.write("\n")
