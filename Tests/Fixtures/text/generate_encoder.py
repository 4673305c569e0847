"""Writes tiny CLIP text encoders with the hidden states that transformers computes from them.

    pip install -r requirements.txt
    python generate_encoder.py

`quick/` is named as published files are (`text_model.…`, with position_ids and a projection beside it), `exact/`
as transformers 5 writes them. Weights are rounded to float16 before anything is computed; states are float32.
"""

import json
import pathlib

import torch
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel

HERE = pathlib.Path(__file__).parent / "encoder"


def randomised(model, generator):
    for name, value in model.state_dict().items():
        noise = torch.randn(value.shape, generator=generator)
        if "norm" in name:
            drawn = noise * 0.2 + (1.0 if name.endswith("weight") else 0.0)
        elif "embedding" in name:
            drawn = noise * 0.5
        else:
            drawn = noise * (0.1 if name.endswith("bias") else 1.2 / value.shape[-1] ** 0.5)
        value.copy_(drawn.half().float())


def write(name, prefix, length, seed, **sizes):
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    configuration = CLIPTextConfig(attn_implementation="eager", **sizes)
    model = CLIPTextModel(configuration).eval().float()
    with torch.no_grad():
        randomised(model, generator)
        ids = torch.randint(0, sizes["vocab_size"], (2, length), generator=generator)
        output = model(ids, output_hidden_states=True)
    folder = HERE / name
    folder.mkdir(parents=True, exist_ok=True)
    weights = {prefix + key: value.half().contiguous() for key, value in model.state_dict().items()}
    if prefix:
        weights[prefix + "embeddings.position_ids"] = torch.arange(sizes["max_position_embeddings"])[None]
        weights["text_projection.weight"] = torch.zeros(4, sizes["hidden_size"]).half()
    save_file(weights, folder / "model.safetensors")
    states = {f"hidden.{i}": state.contiguous() for i, state in enumerate(output.hidden_states)}
    states["last"] = output.last_hidden_state.contiguous()
    assert len(output.hidden_states) == sizes["num_hidden_layers"] + 1
    last = model.final_layer_norm(output.hidden_states[-1])
    assert torch.equal(last, output.last_hidden_state), "hidden_states end behind the final norm"
    save_file(states, folder / "states.safetensors")
    kept = ["hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "vocab_size",
            "max_position_embeddings", "hidden_act", "layer_norm_eps"]
    written = {key: getattr(configuration, key) for key in kept}
    (folder / "config.json").write_text(json.dumps({"architectures": ["CLIPTextModel"], **written}, indent=1) + "\n")
    (folder / "ids.json").write_text(json.dumps(ids.tolist()) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    write("quick", "text_model.", 24, 11, hidden_size=64, intermediate_size=128, num_hidden_layers=3,
          num_attention_heads=2, vocab_size=799, max_position_embeddings=77, hidden_act="quick_gelu")
    write("exact", "", 16, 12, hidden_size=48, intermediate_size=96, num_hidden_layers=2,
          num_attention_heads=3, vocab_size=799, max_position_embeddings=32, hidden_act="gelu")
