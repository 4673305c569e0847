"""What the mask tests compare with: places of tokens, embeddings of entities, maps from attention.

    python generate.py      (versions: ../requirements.txt and ../text/requirements.txt)

Reads ../diffusion/tiny-sd1 and, for the places of tokens, CLIP's whole vocabulary (see ../text/generate_tokenizer.py).
The averages, the resizing, the refinement and the presence score are computed here from the probabilities of every
layer; only `diffusers` and PyTorch's `interpolate` are used for them.
"""

import json
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE.parent / "text"))

import torch
import torch.nn.functional as F
from diffusers import UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizerFast

from fixture_io import Case
from generate_tokenizer import clip_vocabulary

MODEL = HERE.parent / "diffusion" / "tiny-sd1"


def places():
    """The part of the text, in bytes of its UTF-8, that each token of the awkward strings is made from."""
    vocabulary, merges = clip_vocabulary()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "vocab.json").write_text(json.dumps(vocabulary))
        (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
        for name in ("tokenizer_config.json", "special_tokens_map.json"):
            (folder / name).write_text((HERE.parent / "text" / "sd1" / name).read_text())
        tokenizer = CLIPTokenizerFast.from_pretrained(folder)
    more = [
        "A Potted  PLANT, a hot dog & two mugs!", "ein Bär und ein\u00a0Vogel", "e\u0301le\u0301phant 🦉🦉 owl",
        "İstanbul's CAFÉ\u0301s 3dogs 2 x-rays", "\ud55c\uae00 \u1112\u1161\u11ab강아지 dog", "a\u0316\u0301b the ﬁsh",
    ]
    with open(HERE / "places.jsonl", "w") as out:
        for line in (HERE.parent / "text" / "awkward.jsonl").read_text().splitlines():
            item = json.loads(line)
            more.append(item["text"])
        for text in more:
            if any(0xD800 <= ord(c) < 0xE000 for c in text):
                continue
            encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
            starts = [len(text[:i].encode()) for i in range(len(text) + 1)]
            flat = [starts[place] for pair in encoded["offset_mapping"] for place in pair]
            out.write(json.dumps({"text": text, "ids": encoded["input_ids"], "places": flat}) + "\n")


def embeddings():
    tokenizer = CLIPTokenizerFast.from_pretrained(MODEL / "tokenizer")
    encoder = CLIPTextModel.from_pretrained(MODEL / "text_encoder", torch_dtype=torch.float32).eval()
    prefixes = ["a photograph of a", "a very small picture of one", ""]
    words = ["cat", "potted plant", "Tv Monitor", "photograph of the whole wide world"]
    case = Case(31)
    for p, prefix in enumerate(prefixes):
        for w, word in enumerate(words):
            first = 1 + len(tokenizer(prefix, add_special_tokens=False).input_ids)
            count = len(tokenizer(word, add_special_tokens=False).input_ids)
            sentence = f"{prefix} {word}" if prefix else word
            ids = tokenizer(sentence, padding="max_length", max_length=77, truncation=True, return_tensors="pt")
            rows = encoder(ids.input_ids).last_hidden_state[0, first : first + count]
            case.output(f"mean.{p}.{w}", rows.mean(0))
            case.output(f"last.{p}.{w}", rows[-1])
    case.save(HERE / "embeddings.safetensors", prefixes=json.dumps(prefixes), words=json.dumps(words))


class Recorder:
    """The probabilities of every attention layer of one call, averaged over heads, by kind and level."""

    def __init__(self, unet):
        self.found = {}
        for path, module in unet.named_modules():
            if path.endswith(("attn1", "attn2")):
                part = path.split(".")
                levels = len(unet.config.block_out_channels)
                level = {"down_blocks": lambda i: i, "up_blocks": lambda i: levels - 1 - i}.get(
                    part[0], lambda i: levels - 1)(int(part[1]) if part[1].isdigit() else 0)
                module.register_forward_hook(
                    lambda module, args, kwargs, out, key=(path[-5:], level): self.record(key, module, args, kwargs),
                    with_kwargs=True)

    def record(self, key, module, args, kwargs):
        x = args[0]
        context = kwargs.get("encoder_hidden_states")
        context = x if context is None else context
        scores = module.get_attention_scores(
            module.head_to_batch_dim(module.to_q(x)), module.head_to_batch_dim(module.to_k(context)))
        scores = scores.reshape(x.shape[0], module.heads, x.shape[1], context.shape[1])
        self.found.setdefault(key, []).append(scores.mean(1))


def resized(x, size):
    """[K, h, w] to another size."""
    if x.shape[1] <= size[0] and x.shape[2] <= size[1]:
        return F.interpolate(x[None], size, mode="bicubic", align_corners=False)[0].clamp(min=0)
    return F.interpolate(x[None], size, mode="area")[0]


def maps(found, sizes, sample, entities, content, levels, refine, power, scaling):
    """The maps [entities, h, w] and presences of one sample, whose row of the batch is `sample`."""
    grid = sizes[refine] if refine is not None else sizes[min(levels)]
    layers = sum(len(found["attn2", level]) for level in levels)
    results, presences = [], []
    for tokens in entities:
        total, usual = torch.zeros(grid), 0.0
        for level in levels:
            records = torch.stack([record[sample] for record in found["attn2", level]])
            share = len(records) / layers
            mean = records.mean(0)
            one = mean[:, tokens].mean(1).reshape(1, *sizes[level])
            total = total + share * resized(one, grid)[0]
            usual += share * mean[:, 1 : content + 1].mean().item()
        presences.append(max(0.0, 1 - usual / total.max().item()))
        if refine is not None:
            affinity = torch.stack([record[sample] for record in found["attn1", refine]]).mean(0)
            total = (torch.matrix_power(affinity, power) @ total.reshape(-1, 1)).reshape(grid)
        low = total.min() if scaling == "range" else 0
        results.append((total - low) / (total.max() - low))
    return torch.stack(results), torch.tensor(presences)


def attention():
    unet = UNet2DConditionModel.from_pretrained(MODEL / "unet", torch_dtype=torch.float32).eval()
    case = Case(32)
    times, samples, content = [801, 401, 1], 2, 9
    recorder = Recorder(unet)
    for name, (h, w) in [("even", (16, 24)), ("odd", (9, 13))]:
        sizes = {0: (h, w), 1: ((h + 1) // 2, (w + 1) // 2), 2: ((h + 3) // 4, (w + 3) // 4)}
        text = case.input(f"{name}.text", 2 * samples, 12, 32, scale=2.0)
        steps = []
        for step, time in enumerate(times):
            latents = case.input(f"{name}.latents.{step}", 2 * samples, 4, h, w)
            recorder.found = {}
            unet(latents, time, encoder_hidden_states=text)
            steps.append(recorder.found)
        together = {key: sum([step[key] for step in steps], []) for key in steps[0]}
        last = {key: sum([step[key] for step in steps[1:]], []) for key in steps[0]}
        entities = [[2], [4, 5, 6], [9]]
        cases = [
            ("plain", together, [0, 1, 2], None, 0, "range"), ("refined", together, [0, 1, 2], 0, 4, "range"),
            ("coarse", together, [0, 1, 2], 1, 2, "peak"), ("some", last, [1, 2], None, 0, "peak"),
        ]
        for label, found, levels, refine, power, scaling in cases:
            for sample in range(samples):
                result, presence = maps(
                    found, sizes, samples + sample, entities, content, levels, refine, power, scaling)
                case.output(f"{name}.{label}.{sample}.maps", result)
                case.output(f"{name}.{label}.{sample}.presence", presence)
    case.save(HERE / "attention.safetensors", times=json.dumps(times), content=str(content))


def resizing():
    """PyTorch's bilinear resizing at awkward sizes; the other kinds are in the maps of attention."""
    case = Case(33)
    for number, ((h, w), (to_h, to_w)) in enumerate(
        [((4, 4), (16, 16)), ((5, 7), (13, 29)), ((1, 3), (8, 8)), ((9, 6), (9, 6)), ((12, 10), (5, 3)), ((8, 8), (2, 4))]
    ):
        x = case.input(f"{number}.in", h, w)
        case.integers(f"{number}.size", [to_h, to_w])
        case.output(
            f"{number}.bilinear",
            F.interpolate(x[None, None], (to_h, to_w), mode="bilinear", align_corners=False)[0, 0])
    case.save(HERE / "resizing.safetensors")


if __name__ == "__main__":
    with torch.no_grad():
        places()
        embeddings()
        attention()
        resizing()
