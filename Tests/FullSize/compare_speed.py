"""Times parts of a model folder in triptych and in PyTorch (diffusers), in turn on the same machine.

    python compare_speed.py --triptych .build/release/triptych --model FOLDER --part unet --batch 2 --size 512

Each round starts one process of each, so that neither holds memory or threads while the other runs; each warms up
once and then repeats. Printed: medians, their ratio, the ratio of every round, processor seconds (wall times mean little
on a machine that others use too) and peak resident memory. With --precision default PyTorch runs in bfloat16, its
convolutions channels last. Where its bfloat16 kernels stop with an illegal instruction (virtual machines that show AMX
but not its palettes), ONEDNN_MAX_CPU_ISA=AVX512_CORE_BF16 lets it run without.
"""

import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time


def picture_maker(arguments, dtype):
    """Words to pixels, as `triptych bench --part image` does it, with the folder's own steps and guidance."""
    import diffusers

    pipeline = diffusers.StableDiffusionPipeline.from_pretrained(
        arguments.model, torch_dtype=dtype, safety_checker=None, feature_extractor=None)
    pipeline.scheduler = diffusers.DDIMScheduler.from_config(pipeline.scheduler.config)
    pipeline.set_progress_bar_config(disable=True)
    own = pathlib.Path(arguments.model, "sampling_defaults.json")
    defaults = json.loads(own.read_text()) if own.exists() else {"steps": 50, "guidance": 7.5}
    return lambda: pipeline(
        ["a photo of a dog"] * arguments.batch, num_inference_steps=defaults["steps"],
        guidance_scale=defaults["guidance"], width=arguments.size, height=arguments.size)


def run_torch(arguments):
    import torch

    torch.set_num_threads(arguments.threads)
    side = arguments.size // 8
    dtype = torch.bfloat16 if arguments.precision == "default" else torch.float32
    order = torch.channels_last if arguments.precision == "default" else torch.contiguous_format
    randn = lambda *shape: torch.randn(*shape, dtype=dtype)
    maps = lambda *shape: randn(*shape).to(memory_format=order)
    with torch.no_grad():
        if arguments.part == "unet":
            from diffusers import UNet2DConditionModel

            model = UNet2DConditionModel.from_pretrained(f"{arguments.model}/unet", torch_dtype=dtype).eval()
            latents = maps(arguments.batch, 4, side, side)
            text = randn(arguments.batch, 77, model.config.cross_attention_dim)
            call = lambda: model(latents, 500, text)
        elif arguments.part == "text":
            from transformers import CLIPTextModel

            model = CLIPTextModel.from_pretrained(f"{arguments.model}/text_encoder", dtype=dtype).eval()
            ids = torch.randint(0, model.config.vocab_size - 2, (arguments.batch, 77))
            call = lambda: model(ids)
        elif arguments.part == "image":
            call = picture_maker(arguments, dtype)
        else:
            from diffusers import AutoencoderKL

            model = AutoencoderKL.from_pretrained(f"{arguments.model}/vae", torch_dtype=dtype).eval()
            if arguments.part == "vae-decode":
                latents = maps(arguments.batch, 4, side, side)
                call = lambda: model.decode(latents)
            else:
                image = maps(arguments.batch, 3, arguments.size, arguments.size).clamp(-1, 1)
                call = lambda: model.encode(image)
        if arguments.part not in ("text", "image"):
            model = model.to(memory_format=order)
        call()
        seconds = []
        start_cpu = time.process_time()
        for _ in range(arguments.repeat):
            start = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - start)
        cpu = (time.process_time() - start_cpu) / arguments.repeat
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu, "peak_rss_bytes": peak}))


def child(command):
    finished = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(finished.stdout.strip().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--triptych")
    parser.add_argument("--model", required=True)
    parser.add_argument("--part", choices=["unet", "vae-decode", "vae-encode", "text", "image"], required=True)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--size", type=int, default=512, help="side of the picture in pixels")
    parser.add_argument("--precision", choices=["exact", "default"], default="exact")
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--torch-child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.torch_child:
        return run_torch(arguments)

    shared = [f"--{name}={getattr(arguments, name)}" for name in ("model", "part", "batch", "size", "repeat", "threads", "precision")]
    ours, theirs = [], []
    for number in range(arguments.rounds):
        theirs.append(child([sys.executable, __file__, "--torch-child", *shared]))
        ours.append(child([arguments.triptych, "bench", "--json", *shared]))
        pair = statistics.median(ours[-1]["seconds"]) / statistics.median(theirs[-1]["seconds"])
        print(f"round {number + 1}: triptych {ours[-1]['seconds']}, torch {theirs[-1]['seconds']}, ratio {pair:.3f}")
    median = [statistics.median(s for run in runs for s in run["seconds"]) for runs in (ours, theirs)]
    peak = [max(run["peak_rss_bytes"] for run in runs) for runs in (ours, theirs)]
    print(f"{arguments.part}, batch {arguments.batch}, {arguments.size} pixels, {arguments.threads} threads")
    print(f"seconds: triptych {median[0]:.3f}, torch {median[1]:.3f}, ratio {median[0] / median[1]:.3f}")
    cpu = [statistics.median(run["cpu_seconds"] for run in runs) for runs in (ours, theirs)]
    print(f"processor seconds: triptych {cpu[0]:.3f}, torch {cpu[1]:.3f}, ratio {cpu[0] / cpu[1]:.3f}")
    print(f"peak bytes: triptych {peak[0]}, torch {peak[1]}, ratio {peak[0] / peak[1]:.3f}")


main()
