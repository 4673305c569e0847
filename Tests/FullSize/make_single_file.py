"""Writes a model folder as one file in the original layout, and compares what diffusers reads from it with the folder.

    python make_single_file.py FOLDER OUTPUT.safetensors|OUTPUT.ckpt [--half] [--last-layer]

FOLDER is one that make_models.py made, or any Stable Diffusion 1 or 2 folder with safetensors weights. `--half` stores F16.
A folder of Stable Diffusion 2 has 23 text layers; `--last-layer` adds the 24th of the published files, which nobody reads.
Needs about as much memory as the file has bytes, twice that while comparing.
"""

import argparse
import json
import sys
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import load_file, save_file

sys.path.append(str(Path(__file__).parent.parent / "Fixtures/singlefile"))
import original_layout as layout


def part(folder, name):
    stem = "model" if name == "text_encoder" else "diffusion_pytorch_model"
    return load_file(folder / name / f"{stem}.safetensors")


def configuration(folder, name):
    return json.loads((folder / name / "config.json").read_text())


def original(folder, last_layer):
    unet = configuration(folder, "unet")
    blocks = unet["layers_per_block"]
    levels = len(unet["block_out_channels"])
    state = layout.unet(part(folder, "unet"), blocks if isinstance(blocks, list) else [blocks] * levels)
    state |= layout.vae(part(folder, "vae"), len(configuration(folder, "vae")["block_out_channels"]))
    second = configuration(folder, "text_encoder")["hidden_act"] == "gelu"
    text = (layout.open_clip if second else layout.clip)(part(folder, "text_encoder"))
    if second and last_layer:
        count = configuration(folder, "text_encoder")["num_hidden_layers"]
        last = f".resblocks.{count - 1}."
        text |= {key.replace(last, f".resblocks.{count}."): value + 1 for key, value in text.items() if last in key}
    return state | text


@torch.no_grad()
def compare(folder, file, half):
    pipeline = StableDiffusionPipeline.from_single_file(
        str(file), config=str(folder), safety_checker=None, feature_extractor=None, torch_dtype=torch.float32
    )
    for name in ("unet", "vae", "text_encoder"):
        expected = {key.removeprefix("text_model."): value for key, value in part(folder, name).items()}
        found = {key.removeprefix("text_model."): value for key, value in getattr(pipeline, name).state_dict().items()}
        worst = 0.0
        assert found.keys() == expected.keys(), found.keys() ^ expected.keys()
        for key, value in expected.items():
            value = value.half().float() if half else value.float()
            worst = max(worst, (found[key] - value).abs().max().item())
        print(f"{name}: {len(expected)} tensors, largest difference {worst}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--half", action="store_true")
    parser.add_argument("--last-layer", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    state = original(options.folder, options.last_layer)
    if options.half:
        state = {key: value.half() for key, value in state.items()}
    if options.output.suffix == ".safetensors":
        save_file({key: value.contiguous() for key, value in state.items()}, options.output)
    else:
        torch.save({"state_dict": state, "global_step": 0}, options.output)
    del state
    compare(options.folder, options.output, options.half)


if __name__ == "__main__":
    main()
