"""Makes tiny-sd1 and tiny-sd2: random models in the diffusers layout, SD 1-like and SD 2-like.

    python make_tiny.py TOKENIZER_FOLDER

TOKENIZER_FOLDER holds vocab.json and merges.txt of a small CLIP vocabulary, which is copied in.
Versions: ../requirements.txt. Weights are drawn with fixed seeds, rounded to half precision and stored so;
every reference is computed in float32 from the rounded weights.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    PNDMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

HERE = Path(__file__).parent


def randomise(model, seed):
    """Norms away from one and zero, sharper attention, biases that matter: an error anywhere shows."""
    generator = torch.Generator().manual_seed(seed)

    def noise(parameter):
        return torch.randn(parameter.shape, generator=generator)

    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" in name and name.endswith("weight"):
                parameter.copy_(1 + 0.2 * noise(parameter))
            elif name.endswith("bias"):
                parameter.copy_(0.1 * noise(parameter))
            elif "embedding" in name and "time" not in name:
                parameter.copy_(0.5 * noise(parameter))
            else:
                fan = parameter[0].numel()
                gain = 1.5 if (".to_q." in name or ".to_k." in name or "_proj." in name) else 0.8
                parameter.copy_(gain * noise(parameter) / fan**0.5)
    return model.half().float().eval()


def build(kind, tokenizer_folder):
    tokenizer = CLIPTokenizer.from_pretrained(tokenizer_folder)
    second = kind == "tiny-sd2"
    seed = 200 if second else 100
    text_encoder = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4 if second else 2,
            max_position_embeddings=77,
            hidden_act="gelu" if second else "quick_gelu",
            projection_dim=32,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    shared = dict(cross_attention_dim=32, norm_num_groups=8, sample_size=16)
    if second:
        unet = UNet2DConditionModel(
            block_out_channels=(8, 24),
            down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
            layers_per_block=2,
            attention_head_dim=[1, 3],
            use_linear_projection=True,
            **shared,
        )
        scheduler = DDIMScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False,
            set_alpha_to_one=False, steps_offset=1, prediction_type="v_prediction",
        )
    else:
        unet = UNet2DConditionModel(
            block_out_channels=(8, 16, 24),
            down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
            layers_per_block=1,
            attention_head_dim=2,
            **shared,
        )
        scheduler = PNDMScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
            set_alpha_to_one=False, steps_offset=1, skip_prk_steps=True,
        )
    vae = AutoencoderKL(
        block_out_channels=(8, 8, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        norm_num_groups=4,
        latent_channels=4,
        sample_size=128,
        scaling_factor=0.18215,
    )
    return StableDiffusionPipeline(
        vae=randomise(vae, seed + 1),
        text_encoder=randomise(text_encoder, seed + 2),
        tokenizer=tokenizer,
        unet=randomise(unet, seed + 3),
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    tokenizer_folder = Path(sys.argv[1])
    for kind in ("tiny-sd1", "tiny-sd2"):
        folder = HERE / kind
        shutil.rmtree(folder, ignore_errors=True)
        pipeline = build(kind, tokenizer_folder)
        # SD 2-like also shows the file names of half precision variants.
        variant = "fp16" if kind == "tiny-sd2" else None
        pipeline.to(torch.float16).save_pretrained(folder, safe_serialization=True, variant=variant)
        shutil.rmtree(folder / "tokenizer")
        shutil.copytree(tokenizer_folder, folder / "tokenizer")
        for path in folder.rglob("*"):
            if path.is_file():
                path.chmod(0o644)
        for path in folder.rglob("*.json"):
            document = json.loads(path.read_text())
            document.pop("_name_or_path", None)
            if document.get("_class_name") == "PNDMScheduler":
                document["clip_sample"] = False  # as Stable Diffusion 1.5's own file has it
            if path.parent.name != "tokenizer":
                path.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
