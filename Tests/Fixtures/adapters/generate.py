"""LoRA files in every dialect and textual-inversion embeddings for tiny-sd1, and what diffusers makes of them.

    python generate.py

Reads ../diffusion/tiny-sd1 (see make_tiny.py). Matrices and vectors are rounded to half precision and stored so. That
diffusers adds weight * alpha / rank * up * down is checked here as well, layer by layer.
"""

import json
import sys
import warnings
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import peft
import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline
from safetensors.torch import save_file

from fixture_io import Case

ATTENTION = [
    f"{block}.transformer_blocks.0.{attention}.{name}"
    for block in ("down_blocks.0.attentions.0", "mid_block.attentions.0", "up_blocks.2.attentions.1")
    for attention in ("attn1", "attn2") for name in ("to_q", "to_k", "to_v", "to_out.0")
]
REST = [
    "conv_in", "time_embedding.linear_2", "down_blocks.0.resnets.0.conv1", "down_blocks.0.downsamplers.0.conv",
    "down_blocks.1.resnets.0.conv_shortcut", "down_blocks.1.resnets.0.time_emb_proj",
    "down_blocks.1.attentions.0.proj_in", "down_blocks.1.attentions.0.transformer_blocks.0.ff.net.0.proj",
    "mid_block.resnets.1.conv2", "mid_block.attentions.0.transformer_blocks.0.ff.net.2",
    "up_blocks.1.upsamplers.0.conv", "up_blocks.2.attentions.0.proj_out", "conv_out",
]
TEXT = [
    f"encoder.layers.{layer}.{name}" for layer in (0, 1)
    for name in ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj", "mlp.fc1", "mlp.fc2")
]
PROMPT = "a photo of <cat-toy> and a red chair in mystyle"
NEGATIVE = "blurry <statue>"


def pipeline():
    pipe = StableDiffusionPipeline.from_pretrained(
        HERE.parent / "diffusion" / "tiny-sd1", torch_dtype=torch.float32, safety_checker=None)
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def pairs(pipe, case, names, rank):
    """Layer by layer a pair of matrices, large enough that a mistake shows."""
    result = {}
    for part, layers in names.items():
        modules = dict(getattr(pipe, part).named_modules())
        for name in layers:
            weight = modules[name].weight
            rows = min(rank, 2) if weight.dim() == 4 and weight.shape[2] > 1 else rank
            fan = weight[0].numel()
            down = case.draw(rows, *weight.shape[1:], scale=fan**-0.5)
            up = case.draw(weight.shape[0], rows, *[1] * (weight.dim() - 2), scale=0.5 * rows**-0.5)
            result[part, name] = (down, up)
    return result


def write(name, tensors, metadata=None):
    path = HERE / name
    save_file({key: value.contiguous().half() for key, value in tensors.items()}, path, metadata=metadata)
    print(path, path.stat().st_size)
    return path


def original(name):
    """The attention layers of tiny-sd1 by their names in original checkpoints: one residual block a level."""
    for ours, theirs in (("down_blocks.0.attentions.0", "input_blocks.1.1"),
                         ("mid_block.attentions.0", "middle_block.1"),
                         ("up_blocks.2.attentions.1", "output_blocks.5.1")):
        name = name.replace(ours, theirs)
    return name


def kohya(layers, alphas, prefix="lora_te", rename=lambda name: name):
    tensors = {}
    for (part, name), (down, up) in layers.items():
        stem = (f"lora_unet_{rename(name)}" if part == "unet" else f"{prefix}_text_model_{name}").replace(".", "_")
        tensors[f"{stem}.lora_down.weight"], tensors[f"{stem}.lora_up.weight"] = down, up
        tensors[f"{stem}.alpha"] = torch.tensor(alphas(part, name))
    return tensors


def files(pipe):
    """Every dialect: its file, its pairs, and what alpha / rank is for each."""
    case, made = Case(90), {}
    both = dict(unet=ATTENTION + REST, text_encoder=TEXT)
    # diffusers finds the alphas of some layers only where all are alike, and those of convolutions always.
    layers = pairs(pipe, case, both, 4)
    alphas = lambda part, name: 1.0 if "conv" in name and "conv_" not in name else 3.0
    made["kohya"] = (write("kohya.safetensors", kohya(layers, alphas)), layers, alphas)
    layers = pairs(pipe, case, both, 3)
    tensors = {}
    for (part, name), (down, up) in layers.items():
        stem = f"{part}.{name}" if part == "unet" else f"{part}.text_model.{name}"
        tensors[f"{stem}.lora_A.weight"], tensors[f"{stem}.lora_B.weight"] = down, up
    made["peft"] = (write("peft.safetensors", tensors), layers, lambda part, name: None)
    trained = {"unet.lora_alpha": 6, "unet.r": 3, "unet.target_modules": sorted(REST + ATTENTION),
               "unet.rank_pattern": {name: 2 for name in REST if layers["unet", name][0].shape[0] == 2},
               "unet.alpha_pattern": {"mid_block.resnets.1.conv2": 1.5}}
    chosen = {key: value for key, value in layers.items() if key[0] == "unet"}
    tensors = {key: value for key, value in tensors.items() if key.startswith("unet.")}
    made["metadata"] = (
        write("metadata.safetensors", tensors, {"format": "pt", "lora_adapter_metadata": json.dumps(trained)}),
        chosen, lambda part, name: 1.5 if name == "mid_block.resnets.1.conv2" else 6)
    layers = pairs(pipe, case, dict(unet=ATTENTION, text_encoder=TEXT[:4]), 4)
    tensors = {}
    for (part, name), (down, up) in layers.items():
        if part == "unet":
            block, last = name.replace("to_out.0", "to_out").rsplit(".", 1)
            stem = f"unet.{block}.processor.{last}_lora"
        else:
            stem = f"text_encoder.text_model.{name}.lora_linear_layer"
        tensors[f"{stem}.down.weight"], tensors[f"{stem}.up.weight"] = down, up
    made["old"] = (write("old.safetensors", tensors), layers, lambda part, name: None)
    layers = pairs(pipe, case, dict(unet=ATTENTION, text_encoder=TEXT[:4]), 4)
    made["original"] = (
        write("original.safetensors", kohya(layers, lambda part, name: 2.0, "lora_te1", original)),
        layers, lambda part, name: 2.0)
    return made


def embeddings():
    case = Case(91)
    draw = lambda *shape: case.draw(*shape, scale=0.5).half()
    save_file({"<cat-toy>": draw(32)}, HERE / "cat-toy.safetensors")
    torch.save({"<statue>": draw(3, 32)}, HERE / "learned_embeds.bin")
    torch.save(
        {"string_to_token": {"*": torch.tensor(265)}, "string_to_param": {"*": torch.nn.Parameter(draw(2, 32))},
         "name": "mystyle", "step": 100, "sd_checkpoint": None, "sd_checkpoint_name": None},
        HERE / "a1111.pt")
    save_file({"emb_params": draw(2, 32)}, HERE / "watercolours.safetensors")
    return [("cat-toy.safetensors", None), ("learned_embeds.bin", None), ("a1111.pt", None),
            ("watercolours.safetensors", "watercolours")]


def load(pipe, made, weights):
    for name in weights:
        pipe.load_lora_weights(
            str(HERE), weight_name=made[name][0].name, adapter_name=name, unet_config=pipe.unet.config)
    pipe.set_adapters(list(weights), list(weights.values()))


def check(pipe, made, weights):
    """That the fused weights are what the formula says."""
    plain, fused = pipeline(), pipeline()
    load(fused, made, weights)
    fused.fuse_lora(components=["unet", "text_encoder"])
    for part in ("unet", "text_encoder"):
        before = dict(getattr(plain, part).named_modules())
        after = dict(getattr(fused, part).named_modules())
        for name in {key[1] for item in weights for key in made[item][1] if key[0] == part}:
            expected = before[name].weight.clone()
            for item, weight in weights.items():
                if (part, name) not in made[item][1]:
                    continue
                down, up = made[item][1][part, name]
                alpha, rank = made[item][2](part, name), down.shape[0]
                product = (up.flatten(1) @ down.flatten(1)).reshape(expected.shape)
                expected += weight * (rank if alpha is None else alpha) / rank * product
            found = after[name].base_layer.weight
            assert torch.allclose(found, expected, atol=2e-6), (weights, part, name, (found - expected).abs().max())


def loras(made):
    case = Case(92)
    sample, text = case.input("sample", 2, 4, 8, 8), case.input("text", 2, 77, 32)
    ids = pipeline().tokenizer(
        ["a photo of a red chair", "two cats and a dog"], padding="max_length", max_length=77,
        return_tensors="pt").input_ids
    case.integers("ids", ids)
    plans = {
        "kohya": {"kohya": 0.7}, "peft": {"peft": 0.7}, "metadata": {"metadata": 0.7}, "old": {"old": 0.7},
        "original": {"original": 0.7}, "two": {"kohya": 0.7, "peft": -0.4},
    }
    for name, weights in plans.items():
        check(pipeline(), made, weights)
        pipe = pipeline()
        plain = pipe.unet(sample, torch.tensor(300), text).sample
        load(pipe, made, weights)
        case.output(f"{name}.unet", pipe.unet(sample, torch.tensor(300), text).sample)
        case.output(f"{name}.text", pipe.text_encoder(ids)[0][:, :16])
        change = (case.tensors[f"{name}.unet"] - plain).abs().max() / (plain.max() - plain.min())
        print(name, "changes the prediction by", change.item(), "of its range")
    case.save(HERE / "loras.safetensors", plans=json.dumps(plans), peft=peft.__version__)


def inversions(words):
    case, pipe = Case(93), pipeline()
    for file, token in words:
        pipe.load_textual_inversion(str(HERE), weight_name=file, token=token)
    texts = [
        PROMPT, NEGATIVE, "<statue>", "a <Cat-Toy>, twice a <cat-toy>", "my<statue>s and watercolours of watercolours",
        "mystyle mystyle mystyle", "<statue>_1 alone", "no word of theirs: statue, cat-toy", "watercolour " * 30 + "mystyle",
    ]
    converted = [pipe.maybe_convert_prompt(text, pipe.tokenizer) for text in texts]
    ids = pipe.tokenizer(
        converted, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
    case.integers("ids", ids)
    case.output("text", pipe.text_encoder(ids)[0])
    for row, text in enumerate(texts):
        encoded = pipe.encode_prompt(text, "cpu", 1, False)[0]
        assert torch.equal(encoded[0], pipe.text_encoder(ids[row:row + 1])[0][0])
    case.save(HERE / "inversions.safetensors", texts=json.dumps(texts))


def run(made, words):
    case, pipe = Case(94), pipeline()
    load(pipe, made, {"kohya": 0.7, "peft": -0.4})
    for file, token in words:
        pipe.load_textual_inversion(str(HERE), weight_name=file, token=token)
    latents = case.input("latents", 1, 4, 8, 8)
    case.output("last", pipe(
        PROMPT, negative_prompt=NEGATIVE, latents=latents, width=64, height=64, num_inference_steps=6,
        guidance_scale=3.0, output_type="latent").images)
    case.save(HERE / "run.safetensors", prompt=PROMPT, negative=NEGATIVE)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with torch.no_grad():
        made, words = files(pipeline()), embeddings()
        loras(made)
        inversions(words)
        run(made, words)
