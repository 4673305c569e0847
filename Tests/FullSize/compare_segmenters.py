"""Times LSeg (ViT-L/16) and SED-B with random weights in triptych and in PyTorch, in turn on the same machine, and compares
their logits on the same weights.

    python compare_segmenters.py --triptych .build/release/triptych --folder FOLDER --part lseg|sed [--labels 150]

FOLDER receives the weights (LSeg 1.4 GB, SED-B 0.36 GB) and is used again where they are there. Each round starts one process
of each, as compare_speed.py does; each warms up once and then repeats. PyTorch computes in float32 in inference mode.
Printed: how far the logits are apart, and the ratios of wall time, processor time and peak resident memory. Text towers
take no part: labels are random features. Sizes: --size, default 480 for lseg and 768 for sed.
"""

import argparse
import json
import pathlib
import resource
import statistics
import subprocess
import sys
import time

# Float32 on both sides.
PRECISION = "exact"


def inputs(arguments):
    import torch
    from torch.nn import functional as F

    torch.manual_seed(7)
    templates, width = {"lseg": (1, 512), "sed": (80, 640)}[arguments.part]
    image = torch.randn(1, 3, arguments.size, arguments.size)
    return image, F.normalize(torch.randn(arguments.labels, templates, width), dim=-1)


def weights(arguments):
    from safetensors.torch import save_file

    import segmenters

    path = pathlib.Path(arguments.folder, f"{arguments.part}.safetensors")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = segmenters.network(arguments.part)
        state = {made.prefix + name: value for name, value in made.state_dict().items() if value.ndim}
        save_file({name: value.contiguous() for name, value in state.items()}, path)
    return path


def run_torch(arguments):
    import torch
    from safetensors.torch import load_file, save_file

    import segmenters

    torch.set_num_threads(arguments.threads)
    with torch.device("meta"):
        network = segmenters.NETWORKS[arguments.part]()
    state = {name.removeprefix(network.prefix): value for name, value in load_file(weights(arguments)).items()}
    network.load_state_dict(state, strict=False, assign=True)
    for module in network.modules():
        for name, value in module.named_buffers(recurse=False):
            if value.is_meta:
                setattr(module, name, torch.zeros(value.shape, dtype=value.dtype))
    network.eval()
    del state
    image, text = inputs(arguments)
    with torch.inference_mode():
        logits = network(image, text)
        if arguments.save_logits:
            save_file({"logits": logits.contiguous()}, arguments.save_logits)
            return
        del logits
        seconds = []
        start_cpu = time.process_time()
        for _ in range(arguments.repeat):
            start = time.perf_counter()
            network(image, text)
            seconds.append(time.perf_counter() - start)
        cpu = (time.process_time() - start_cpu) / arguments.repeat
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu, "peak_rss_bytes": peak}))


def run(command):
    finished = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, check=True, text=True)
    lines = finished.stdout.strip().splitlines()
    return json.loads(lines[-1]) if lines else None


def compare_logits(arguments, shared, path):
    """How far triptych's logits are from PyTorch's on the same weights."""
    from safetensors.torch import load_file, save_file

    image, text = inputs(arguments)
    given, ours, theirs = (pathlib.Path(arguments.folder, f"{name}.safetensors") for name in ("input", "ours", "theirs"))
    save_file({"image": image, "embeddings": text}, given)
    run([sys.executable, __file__, "--torch-child", f"--save-logits={theirs}", *shared])
    run([arguments.triptych, "segment", "--model", path, "--input-tensor", given, "--save-logits", ours,
         "--precision", PRECISION, "--threads", arguments.threads, "--json"])
    a, b = load_file(ours)["logits"], load_file(theirs)["logits"]
    difference = (a - b).abs()
    spread = float(b.max() - b.min())
    print(f"logits {list(a.shape)}: largest difference {float(difference.max()):.3g}, mean {float(difference.mean()):.3g}, "
          f"range {spread:.3g}, largest share of it {float(difference.max()) / spread:.3g}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--triptych")
    parser.add_argument("--folder", required=True)
    parser.add_argument("--part", choices=["lseg", "sed"], required=True)
    parser.add_argument("--size", type=int, help="side of the picture in pixels")
    parser.add_argument("--labels", type=int, default=150)
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--torch-child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--save-logits", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    arguments.size = arguments.size or {"lseg": 480, "sed": 768}[arguments.part]
    if arguments.torch_child:
        return run_torch(arguments)

    path = weights(arguments)
    names = ("part", "size", "labels", "repeat", "threads")
    shared = [f"--{name}={getattr(arguments, name)}" for name in names]
    torch_shared = [*shared, f"--folder={arguments.folder}"]
    compare_logits(arguments, torch_shared, path)
    ours, theirs = [], []
    for number in range(arguments.rounds):
        theirs.append(run([sys.executable, __file__, "--torch-child", *torch_shared]))
        ours.append(run([arguments.triptych, "bench", "--json", "--model", path, "--precision", PRECISION, *shared]))
        pair = statistics.median(ours[-1]["seconds"]) / statistics.median(theirs[-1]["seconds"])
        print(f"round {number + 1}: triptych {ours[-1]['seconds']}, torch {theirs[-1]['seconds']}, ratio {pair:.3f}")
    median = [statistics.median(s for each in runs for s in each["seconds"]) for runs in (ours, theirs)]
    cpu = [statistics.median(each["cpu_seconds"] for each in runs) for runs in (ours, theirs)]
    peak = [max(each["peak_rss_bytes"] for each in runs) for runs in (ours, theirs)]
    print(f"{arguments.part}, {arguments.size} pixels, {arguments.labels} labels, {arguments.threads} threads")
    print(f"seconds: triptych {median[0]:.3f}, torch {median[1]:.3f}, ratio {median[0] / median[1]:.3f}")
    print(f"processor seconds: triptych {cpu[0]:.3f}, torch {cpu[1]:.3f}, ratio {cpu[0] / cpu[1]:.3f}")
    print(f"peak bytes: triptych {peak[0]}, torch {peak[1]}, ratio {peak[0] / peak[1]:.3f}")


main()
