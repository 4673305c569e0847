"""Makes tiny Stable Diffusion files in the original layout, and what diffusers' `from_single_file` makes of them.

    python generate.py

Written: `sd1.safetensors` (F16), `sd1.ckpt` (F16, with averaged weights and what Lightning saves beside), `sd2.safetensors`
(BF16, OpenCLIP tower), the configurations `sd1/` and `sd2/` as diffusers folders without weights, the golden outputs
`golden-sd1.safetensors` and `golden-sd2.safetensors`, and `shapes.json`, names and shapes of the published files' tensors.
Versions: ../requirements.txt.
"""

import collections
import hashlib
import json
import shutil
import sys
import tempfile
import types
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

HERE = Path(__file__).parent
sys.path += [str(HERE.parent), str(HERE.parent / "diffusion"), str(HERE)]
import original_layout as layout
from fixture_io import Case
from make_tiny import randomise

NOISE = dict(
    beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False,
    steps_offset=1,
)


def unet_configuration(second):
    own = dict(layers_per_block=2, attention_head_dim=[1, 2], use_linear_projection=True)
    return dict(
        cross_attention_dim=16, norm_num_groups=4, sample_size=16, block_out_channels=(4, 8),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        **(own if second else dict(layers_per_block=1, attention_head_dim=2)),
    )


def text_configuration(second, vocabulary):
    return CLIPTextConfig(
        vocab_size=vocabulary, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=77, hidden_act="gelu" if second else "quick_gelu", projection_dim=16,
        bos_token_id=vocabulary - 2, eos_token_id=vocabulary - 1, pad_token_id=0 if second else vocabulary - 1,
    )


def configurations(kind, second):
    """A diffusers folder without weights."""
    folder = HERE / kind
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(HERE.parent / "diffusion/tiny-sd1/tokenizer", folder / "tokenizer")
    if second:
        for name in ("special_tokens_map.json", "tokenizer_config.json"):
            path = folder / "tokenizer" / name
            path.write_text(json.dumps({**json.loads(path.read_text()), "pad_token": "!"}) + "\n")
    tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer")
    pipeline = StableDiffusionPipeline(
        vae=AutoencoderKL(
            block_out_channels=(4, 8), down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2, layers_per_block=1, norm_num_groups=4, latent_channels=4,
            sample_size=32, scaling_factor=0.18215,
        ),
        text_encoder=CLIPTextModel(text_configuration(second, len(tokenizer))), tokenizer=tokenizer,
        unet=UNet2DConditionModel(**unet_configuration(second)),
        scheduler=DDIMScheduler(prediction_type="v_prediction" if second else "epsilon", **NOISE),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )
    for part in ("unet", "vae", "text_encoder"):
        model = getattr(pipeline, part)
        (folder / part).mkdir()
        model.config.architectures = None
        model.save_config(folder / part) if part != "text_encoder" else model.config.save_pretrained(folder / part)
    pipeline.scheduler.save_config(folder / "scheduler")
    pipeline.save_config(folder)
    for path in folder.rglob("*.json"):
        document = json.loads(path.read_text())
        if isinstance(document, dict) and path.parent.name != "tokenizer":
            document.pop("_name_or_path", None)
            path.write_text(json.dumps(document, indent=1) + "\n")
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return pipeline


def original(pipeline, second):
    unet = pipeline.unet
    state = layout.unet(unet.state_dict(), [unet.config.layers_per_block] * len(unet.config.block_out_channels))
    state |= layout.vae(pipeline.vae.state_dict(), len(pipeline.vae.config.block_out_channels))
    text = pipeline.text_encoder.state_dict()
    state |= (layout.open_clip if second else layout.clip)(text)
    return {key: value.detach().contiguous().clone() for key, value in state.items()}


def extras(second, state):
    """What published files hold beside the model."""
    out = {"betas": torch.linspace(0.00085, 0.012, 8), "alphas_cumprod": torch.linspace(1, 0, 8)}
    if not second:
        out["cond_stage_model.transformer.text_model.embeddings.position_ids"] = torch.arange(77)[None]
        return out
    # The last layer, which nobody reads.
    last = "cond_stage_model.model.transformer.resblocks.1."
    for key in [key for key in state if key.startswith(last)]:
        out[key.replace(".1.", ".2.", 1)] = torch.full_like(state[key], 3)
    out["cond_stage_model.model.text_projection"] = torch.eye(16)
    out["cond_stage_model.model.logit_scale"] = torch.tensor(4.6)
    return out


def lightning():
    """Classes that no reader of weights knows, under the keys that Lightning has for them."""

    def named(module, name):
        for depth in range(1, module.count(".") + 2):
            part = ".".join(module.split(".")[:depth])
            sys.modules.setdefault(part, types.ModuleType(part))
        kind = type(name, (), {"__module__": module, "__qualname__": name})
        setattr(sys.modules[module], name, kind)
        return kind

    checkpoint = named("pytorch_lightning.callbacks.model_checkpoint", "ModelCheckpoint")
    settings = named("omegaconf.dictconfig", "DictConfig")()
    settings.content = {"learning_rate": 1e-4, "tags": {"a", "b"}}
    return {
        "epoch": 3, "global_step": 470000, "pytorch-lightning_version": "1.4.2",
        "callbacks": {checkpoint: {"best_model_score": torch.tensor(0.5), "dirpath": Path("runs")}},
        "optimizer_states": [{"state": {0: {"step": 7, "exp_avg": torch.ones(2, dtype=torch.int8)}}}],
        "lr_schedulers": [{"base_lrs": [1e-4], "counts": collections.Counter("ab")}],
        "loops": {"fit_loop": {"state_dict": {}}}, "hyper_parameters": settings,
    }


@torch.no_grad()
def golden(kind, path, seed, prompts, negative, average):
    pipeline = StableDiffusionPipeline.from_single_file(
        str(path), config=str(HERE / kind), safety_checker=None, feature_extractor=None, torch_dtype=torch.float32
    )
    pipeline.set_progress_bar_config(disable=True)
    case = Case(seed)
    tokens = pipeline.tokenizer(prompts, padding="max_length", truncation=True, max_length=77, return_tensors="pt")
    case.integers("ids", tokens.input_ids)
    text = pipeline.text_encoder(tokens.input_ids)[0]
    case.output("text", text)
    latents = case.input("latents", len(prompts), 4, 16, 16)
    case.output("unet", pipeline.unet(latents, 481, encoder_hidden_states=text).sample)
    if average:
        averaged = UNet2DConditionModel.from_single_file(
            str(path), config=str(HERE / kind), subfolder="unet", extract_ema=True, torch_dtype=torch.float32
        )
        case.output("unet.averaged", averaged(latents, 481, encoder_hidden_states=text).sample)
    image = case.input("image", 1, 3, 32, 32)
    moments = pipeline.vae.encode(image).latent_dist
    case.output("encode.mean", moments.mean)
    case.output("encode.log-variance", moments.logvar)
    case.output("decode", pipeline.vae.decode(latents[:1]).sample)
    run = dict(
        prompt=prompts, negative_prompt=[negative] * len(prompts), height=32, width=32, num_inference_steps=6,
        guidance_scale=4.0, latents=latents.clone(),
    )
    case.output("run.latents", pipeline(output_type="latent", **run).images)
    picture = torch.from_numpy(pipeline(output_type="np", **run).images)
    case.integers("run.image", (picture * 255).round().int())
    case.save(HERE / f"golden-{kind}.safetensors", file=path.name, prompts=json.dumps(prompts), negative=negative)


def digest(state, prefix=""):
    """Of every name and shape that diffusers has for a part."""
    lines = sorted(f"{prefix}{key} {','.join(map(str, value.shape))}\n" for key, value in state.items())
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def published():
    """Names and shapes of the tensors of the published files, by shape, and digests of those that diffusers has."""
    sys.path.append(str(HERE.parent.parent / "FullSize"))
    import make_models

    out = {}
    with torch.device("meta"):
        for kind, second in (("sd15", False), ("sd21", True)):
            unet, vae = make_models.unet(second).state_dict(), make_models.vae().state_dict()
            text = make_models.text_encoder(second).state_dict()
            text = {key.removeprefix("text_model."): value for key, value in text.items()}
            digests = dict(unet=digest(unet), vae=digest(vae), text_encoder=digest(text, "text_model."))
            state = layout.unet(unet, [2] * 4) | layout.vae(vae, 4)
            if second:
                last = {key: value for key, value in text.items() if ".22." in key}
                text |= {key.replace(".22.", ".23.", 1): value for key, value in last.items()}
            state |= (layout.open_clip if second else layout.clip)(text)
            shapes = collections.defaultdict(list)
            for key, value in state.items():
                shapes[",".join(map(str, value.shape))].append(key)
            out[kind] = dict(shapes=shapes, digests=digests)
    (HERE / "shapes.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")


def main():
    torch.manual_seed(0)
    for kind, second, seed in (("sd1", False, 700), ("sd2", True, 800)):
        pipeline = configurations(kind, second)
        for offset, part in enumerate(("vae", "text_encoder", "unet")):
            randomise(getattr(pipeline, part), seed + offset)
        type_ = torch.bfloat16 if second else torch.float16
        state = {key: value.to(type_) for key, value in original(pipeline, second).items()}
        more = extras(second, state)
        save_file(
            state | more, HERE / f"{kind}.safetensors", metadata={"modelspec.license": "none"} if second else None
        )
        prompts, negative = (["a red chair"], "") if second else (["a photo of two cats", "a dog"], "blurry")
        if second:
            golden(kind, HERE / "sd2.safetensors", seed, prompts, negative, False)
            continue
        # Averages differ from the weights, as they do in training.
        average = {key: (value.float() * 0.9).half() for key, value in layout.averaged(state).items()}
        average |= {"model_ema.decay": torch.tensor(0.9999), "model_ema.num_updates": torch.tensor(9)}
        whole = {"state_dict": collections.OrderedDict(state | average | more)}
        with tempfile.TemporaryDirectory() as folder:
            # diffusers refuses the classes that Lightning leaves beside the weights.
            torch.save(whole, Path(folder) / "sd1.ckpt")
            golden(kind, Path(folder) / "sd1.ckpt", seed, prompts, negative, True)
        torch.save({**lightning(), **whole}, HERE / "sd1.ckpt")
    published()


if __name__ == "__main__":
    main()
