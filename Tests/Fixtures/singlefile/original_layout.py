"""Diffusers' keys under the names of the original repositories' single files.

Written from the module trees of latent-diffusion (`openaimodel.py`, `model.py`) and OpenCLIP (`transformer.py`); the
tests compare the program, which maps the other way, with diffusers' own reader of what this writes.
"""

import torch

RESIDUAL = {
    "norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0",
    "conv2": "out_layers.3", "conv_shortcut": "skip_connection",
}
ENDS = {
    "time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2",
}


def unet(state, blocks):
    """`blocks`: residual blocks of each level on the way down."""
    out = {}
    first, number = [], 1
    for count in blocks:
        first.append(number)
        number += count + 1
    first_up = [sum(count + 1 for count in blocks[::-1][:level]) for level in range(len(blocks))]
    attends = {key.split(".attentions")[0] for key in state if ".attentions." in key}
    for key, value in state.items():
        parts = key.split(".")
        stem, leaf = ".".join(parts[:-1]), parts[-1]
        if stem in ENDS:
            name = ENDS[stem]
        elif parts[0] == "mid_block":
            place = {("resnets", "0"): "0", ("attentions", "0"): "1", ("resnets", "1"): "2"}[parts[1], parts[2]]
            inner = ".".join(parts[3:-1])
            name = f"middle_block.{place}." + (RESIDUAL[inner] if parts[1] == "resnets" else inner)
        else:
            level, inner = int(parts[1]), ".".join(parts[4:-1])
            block = (first if parts[0] == "down_blocks" else first_up)[level]
            root = "input_blocks" if parts[0] == "down_blocks" else "output_blocks"
            if parts[2] == "downsamplers":
                name = f"{root}.{block + blocks[level]}.0.op"
            elif parts[2] == "upsamplers":
                last = block + blocks[::-1][level]
                name = f"{root}.{last}.{2 if f'up_blocks.{level}' in attends else 1}.conv"
            elif parts[2] == "resnets":
                name = f"{root}.{block + int(parts[3])}.0.{RESIDUAL[inner]}"
            else:
                name = f"{root}.{block + int(parts[3])}.1.{inner}"
        out[f"model.diffusion_model.{name}.{leaf}"] = value
    return out


def vae(state, levels):
    out = {}
    attention = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}
    for key, value in state.items():
        parts = key.split(".")
        name = key
        if len(parts) > 3 and parts[1] in ("down_blocks", "up_blocks"):
            side = parts[1].split("_")[0]
            level = int(parts[2]) if side == "down" else levels - 1 - int(parts[2])
            if parts[3] == "resnets":
                name = f"{parts[0]}.{side}.{level}.block.{'.'.join(parts[4:])}"
            else:
                name = f"{parts[0]}.{side}.{level}.{side}sample.conv.{parts[-1]}"
        elif len(parts) > 3 and parts[1] == "mid_block":
            if parts[2] == "resnets":
                name = f"{parts[0]}.mid.block_{int(parts[3]) + 1}.{'.'.join(parts[4:])}"
            else:
                name = f"{parts[0]}.mid.attn_1.{attention['.'.join(parts[4:-1])]}.{parts[-1]}"
                if value.dim() == 2:
                    value = value[:, :, None, None]
        else:
            name = key.replace("conv_norm_out", "norm_out")
        out["first_stage_model." + name.replace("conv_shortcut", "nin_shortcut")] = value
    return out


def clip(state):
    """transformers 5 saves the text model without its wrapper; published files have it."""
    return {
        "cond_stage_model.transformer.text_model." + key.removeprefix("text_model."): value
        for key, value in state.items()
    }


def open_clip(state):
    names = {
        "layer_norm1": "ln_1", "layer_norm2": "ln_2", "self_attn.out_proj": "attn.out_proj", "mlp.fc1": "mlp.c_fc",
        "mlp.fc2": "mlp.c_proj",
    }
    ends = {
        "embeddings.token_embedding.weight": "token_embedding.weight",
        "embeddings.position_embedding.weight": "positional_embedding",
        "final_layer_norm.weight": "ln_final.weight", "final_layer_norm.bias": "ln_final.bias",
    }
    state = {key.removeprefix("text_model."): value for key, value in state.items()}
    out = {}
    for key, value in state.items():
        parts = key.split(".")
        if key in ends:
            name = ends[key]
        else:
            inner = ".".join(parts[3:-1])
            place = f"transformer.resblocks.{parts[2]}"
            if inner in names:
                name = f"{place}.{names[inner]}.{parts[-1]}"
            elif inner == "self_attn.q_proj":
                stem = f"encoder.layers.{parts[2]}.self_attn."
                value = torch.cat([state[f"{stem}{letter}_proj.{parts[-1]}"] for letter in "qkv"])
                name = f"{place}.attn.in_proj_{parts[-1]}"
            else:
                continue
        out["cond_stage_model.model." + name] = value
    return out


def averaged(state):
    """The names that LitEma gives the denoiser's weights."""
    prefix = "model."
    return {
        "model_ema." + key[len(prefix):].replace(".", ""): value
        for key, value in state.items() if key.startswith("model.diffusion_model.")
    }
