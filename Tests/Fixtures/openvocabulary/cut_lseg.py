"""Cuts lseg-1.safetensors and lseg-2.safetensors from the golden outputs of the published code.

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
    1: {
        "text.tokens": (None, None),
        "text_features": (None, None),
        **{f"tokens_block{block}": (None, 7) for block in (5, 11, 17, 23)},
        "path4": (3, 3),
        "path3": (3, 3),
        "path2": (7, 7),
        "path1": (11, 22),
        "features": (11, 22),
    },
    2: {"text.tokens": (None, None), "text_features": (None, None), "features": (11, 22)},
}
HEADS = ["plain", "bottleneck", "depthwise", "bottleneck_tanh", "depthwise_tanh"]


def main():
    goldens = load_file(sys.argv[1])
    for seed, steps in STEPS.items():
        kept = {}
        for name, (stored, wanted) in [*steps.items(), *((f"{head}.logits", (5, 5)) for head in HEADS)]:
            value = goldens[f"seed{seed}.{name}" + (f"_every_{ordinal(stored)}" if stored else "")]
            factor = wanted // (stored or 1) if wanted else 1
            if value.ndim == 4:
                value = value[:, :, ::factor, ::factor]
            elif wanted:
                value = value[:, ::factor]
            kept[f"seed{seed}.{name}" + (f"_every_{ordinal(wanted)}" if wanted else "")] = value.copy()
        path = pathlib.Path(__file__).parent / f"lseg-{seed}.safetensors"
        save_file(kept, path)
        print(path.name, path.stat().st_size)


def ordinal(number):
    return f"{number}" + {2: "nd", 3: "rd"}.get(number % 10 if number not in (12, 13) else 0, "th")


main()
