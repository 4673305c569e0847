"""Trains the embedded model (tokenizer, autoencoder, text encoder, U-Net) on scenes that are composed on the fly.

Runs on a GPU where torch sees one, else on the CPU. It saves its state in --work at the end of each call and goes on from
there, so a long training can be cut into short calls:

    python3 pretrain.py --world world.npz --work run --stage vae       --minutes 8 --total 8  --preset base
    python3 pretrain.py --world world.npz --work run --stage diffusion --minutes 9 --total 27 --preset base  # three times
    python3 pretrain.py --work run --stage export --out model
    python3 pretrain.py --world world.npz --work run --stage sheet --out sheet.png

--from EXPORT starts from an exported folder instead of random weights; its tokenizer comes along, the optimiser starts anew.
--total is the length of the whole stage over all its calls: the learning rate falls to zero by its end.
"""

import argparse

import torch

from pretraining import autoencoder, diffusion, results
from pretraining.networks import PRESETS
from pretraining.session import Session

STAGES = {
    "vae": autoencoder.train,
    "diffusion": diffusion.train,
    "export": results.export,
    "sheet": results.samples,
    "recon": results.reconstructions,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stage", required=True, choices=STAGES)
    parser.add_argument("--work", required=True, help="folder of the training's state")
    parser.add_argument("--world", help="pack made by world/build.py")
    parser.add_argument("--classes", help='categories to draw scenes from, e.g. "dog:3, cat": with commas, and weights')
    parser.add_argument("--out", help="what export, sheet and recon write")
    parser.add_argument("--from", dest="start", help="exported folder to start from")
    parser.add_argument("--preset", default="base", choices=PRESETS)
    parser.add_argument("--minutes", type=float, default=5, help="length of this call")
    parser.add_argument("--total", type=float, default=5, help="length of the stage in minutes")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--lr", type=float, help="highest learning rate")
    parser.add_argument("--reuse", type=float, default=4, help="how often each scene's latents are drawn")
    parser.add_argument("--compile", action="store_true", help="torch.compile")
    parser.add_argument("--steps", type=int, default=30, help="of a sheet")
    parser.add_argument("--guidance", type=float, default=3.0, help="of a sheet")
    parser.add_argument("--shard-mb", type=int, default=15, help="largest file of an export")
    options = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    STAGES[options.stage](Session(options))


if __name__ == "__main__":
    main()
