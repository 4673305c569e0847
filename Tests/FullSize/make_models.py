"""Makes full-size model folders with random weights, to compare and to time without any download.

    python make_models.py sd15|sd21 FOLDER

The configurations are those of Stable Diffusion 1.5 and 2.1 (768, v-prediction). Weights are diffusers' and
transformers' own initialisation under a fixed seed, stored as float32 in the diffusers layout. The tokenizer is
a placeholder: byte symbols only, at CLIP's ids for begin and end. Versions: ../Fixtures/requirements.txt.
"""

import json
import sys
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, PNDMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

DOWN = ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",)
UP = ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3
NOISE = dict(
    beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", num_train_timesteps=1000,
    set_alpha_to_one=False, steps_offset=1,
)


def unet(second):
    own = (
        dict(attention_head_dim=[5, 10, 20, 20], cross_attention_dim=1024, sample_size=96,
             use_linear_projection=True, upcast_attention=True)
        if second
        else dict(attention_head_dim=8, cross_attention_dim=768, sample_size=64)
    )
    return UNet2DConditionModel(
        block_out_channels=(320, 640, 1280, 1280), down_block_types=DOWN, up_block_types=UP,
        layers_per_block=2, **own,
    )


def vae():
    return AutoencoderKL(
        block_out_channels=(128, 256, 512, 512), down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4, layers_per_block=2, sample_size=512,
        scaling_factor=0.18215,
    )


def text_encoder(second):
    own = (
        dict(hidden_size=1024, intermediate_size=4096, num_hidden_layers=23, num_attention_heads=16,
             hidden_act="gelu", projection_dim=512)
        if second
        else dict(hidden_size=768, intermediate_size=3072, num_hidden_layers=12,
                  num_attention_heads=12, hidden_act="quick_gelu", projection_dim=768)
    )
    return CLIPTextModel(
        CLIPTextConfig(vocab_size=49408, max_position_embeddings=77, bos_token_id=49406,
                       eos_token_id=49407, pad_token_id=1, **own)
    )


def write_tokenizer(folder):
    """CLIP's 256 byte symbols and their word-final twins; the rest of the vocabulary is filler."""
    printable = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    symbols = [chr(b) for b in printable]
    symbols += [chr(256 + n) for n in range(256 - len(printable))]
    tokens = symbols + [s + "</w>" for s in symbols]
    merges, seen = [], set(tokens)
    for a in symbols:
        for b in symbols:
            if len(tokens) == 49406:
                break
            if a + b not in seen:
                seen.add(a + b)
                merges.append(f"{a} {b}")
                tokens.append(a + b)
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = {token: index for index, token in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    marks = dict(bos_token="<|startoftext|>", eos_token="<|endoftext|>", pad_token="<|endoftext|>",
                 unk_token="<|endoftext|>")
    (folder / "special_tokens_map.json").write_text(json.dumps(marks))
    (folder / "tokenizer_config.json").write_text(
        json.dumps(dict(tokenizer_class="CLIPTokenizer", model_max_length=77, do_lower_case=True,
                        add_prefix_space=False, **marks)))


def main():
    kind, folder = sys.argv[1], Path(sys.argv[2])
    second = {"sd15": False, "sd21": True}[kind]
    torch.set_num_threads(1)
    torch.manual_seed(21 if second else 15)
    text_encoder(second).save_pretrained(folder / "text_encoder")
    vae().save_pretrained(folder / "vae")
    unet(second).save_pretrained(folder / "unet", max_shard_size="20GB")
    if second:
        scheduler = DDIMScheduler(prediction_type="v_prediction", clip_sample=False, **NOISE)
    else:
        scheduler = PNDMScheduler(skip_prk_steps=True, **NOISE)
    scheduler.save_pretrained(folder / "scheduler")
    write_tokenizer(folder / "tokenizer")
    index = {
        "_class_name": "StableDiffusionPipeline",
        "feature_extractor": [None, None],
        "requires_safety_checker": False,
        "safety_checker": [None, None],
        "scheduler": ["diffusers", type(scheduler).__name__],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }
    (folder / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")


if __name__ == "__main__":
    main()
