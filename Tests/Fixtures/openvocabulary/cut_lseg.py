"""Cuts lseg.safetensors from the golden outputs of the published code.

    python3 cut_lseg.py GOLDENS/lseg.safetensors

The goldens are what isl-org/lang-seg bb00b21 (timm 0.4.12; text tower of openai/CLIP 04f4dc2) gives on tensors made by
the formula that Tests/TestSupport/Formula.swift states. They are kept in N C H W; `every_nth` means indices 0, n, 2n, …
of both rows and columns, or of the tokens. Here wider steps are kept of what is large.
"""

import pathlib
import sys

from safetensors.numpy import load_file, save_file

# Step of what is kept, from the step of what is stored.
STEPS = {
    "text.tokens": (None, None),
    "text_features": (None, None),
    **{f"tokens_block{block}": (None, 7) for block in (5, 11, 17, 23)},
    "path4": (3, 3),
    "path3": (3, 3),
    "path2": (7, 7),
    "path1": (11, 22),
    "features": (11, 22),
    **{f"{head}.logits": (5, 5) for head in ("plain", "bottleneck", "depthwise", "bottleneck_tanh", "depthwise_tanh")},
}


def main():
    goldens = load_file(sys.argv[1])
    kept = {}
    for name, (stored, wanted) in STEPS.items():
        value = goldens[f"seed1.{name}" + step(stored)]
        factor = wanted // (stored or 1) if wanted else 1
        value = value[:, :, ::factor, ::factor] if value.ndim == 4 else value[:, ::factor]
        kept[f"seed1.{name}" + step(wanted)] = value.copy()
    path = pathlib.Path(__file__).parent / "lseg.safetensors"
    save_file(kept, path)
    print(path.name, path.stat().st_size)


def step(number):
    if number is None:
        return ""
    return f"_every_{number}" + {2: "nd", 3: "rd"}.get(number % 10, "th")


main()
