"""Cuts sed-*.safetensors from the golden outputs of the published code.

    python3 cut_sed.py GOLDENS/sed.safetensors

The goldens are what xb534/SED db20d93 (its own fork of open_clip, timm 0.8.3.dev0) gives on tensors made by the formula
that Tests/TestSupport/Formula.swift states, kept in N C H W. `every_nth` means indices 0, n, 2n, … of both rows and
columns, or of the cost map's templates.
"""

import pathlib
import sys

from safetensors.numpy import load_file, save_file

FILES = {
    "sed-trunk": ["clip_vis_dense", "res2_every_5th", "res3_every_5th", "res4_every_5th", "res5_every_5th",
                  "cost_map_every_5th", "aux0", "aux1", "aux2", "logits", "pool2.logits_every_3rd"],
    "sed-rejection": ["cer.clip_vis_dense", "cer.res3", "cer.res4", "cer.full.logits",
                      *(f"cer.{case}.{what}" for case in ("top1", "top2", "given")
                        for what in ("alive", "probabilities"))],
    "sed-text": ["cer.res2", "text.tokens", "text.prompt_features", "text.class_embeddings"],
}

goldens = load_file(sys.argv[1])
for name, keys in FILES.items():
    path = pathlib.Path(__file__).parent / f"{name}.safetensors"
    save_file({f"seed1.{key}": goldens[f"seed1.{key}"] for key in keys}, path)
    path.chmod(0o644)
    print(path.name, path.stat().st_size)
