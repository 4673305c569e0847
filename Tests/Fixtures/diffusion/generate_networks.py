"""Blocks, U-Net passes with taps, and the autoencoder both ways.  python generate_networks.py

Reads tiny-sd1 and tiny-sd2 (see make_tiny.py).
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.transformers.transformer_2d import Transformer2DModel

from fixture_io import Case


def variant(kind):
    return "fp16" if kind == "tiny-sd2" else None


def load(kind, model, part):
    return model.from_pretrained(HERE / kind / part, variant=variant(kind), torch_dtype=torch.float32).eval()


def blocks():
    case = Case(2)
    x = case.input("x", 2, 16, 6, 5)
    time = case.input("time", 2, 20)
    text = case.input("text", 2, 7, 12)
    tokens = case.input("tokens", 2, 9, 16)
    for name, outputs in [("residual-same", 16), ("residual-wider", 24), ("residual-narrower", 8)]:
        block = ResnetBlock2D(in_channels=16, out_channels=outputs, temb_channels=20, groups=8, eps=1e-5)
        case.output(f"{name}.out", case.weights(name, block)(x, time))
    block = ResnetBlock2D(in_channels=16, out_channels=16, temb_channels=None, groups=4, eps=1e-6)
    case.output("residual-timeless.out", case.weights("residual-timeless", block)(x, None))
    block = BasicTransformerBlock(16, 4, 4, cross_attention_dim=12)
    case.output("transformer-block.out",
                case.weights("transformer-block", block)(tokens, encoder_hidden_states=text))
    for name, linear, layers in [("spatial-conv", False, 1), ("spatial-linear", True, 2)]:
        model = Transformer2DModel(
            num_attention_heads=2, attention_head_dim=8, in_channels=16, num_layers=layers,
            cross_attention_dim=12, norm_num_groups=8, use_linear_projection=linear)
        case.output(f"{name}.out", case.weights(name, model)(x, encoder_hidden_states=text).sample)
    case.save(HERE / "blocks.safetensors")


class Recorder:
    """Stores the outputs of all blocks and the probabilities of all cross-attention layers of one call."""

    def __init__(self, case, unet, name):
        self.case, self.name, self.handles = case, name, []
        self.inputs = self.outputs = 0
        self.hook(unet.conv_in, self.input)
        for block in unet.down_blocks:
            for part in self.parts(block):
                self.hook(part, self.input)
            for part in block.downsamplers or []:
                self.hook(part, self.input)
        self.hook(unet.mid_block, lambda x: self.store("middle", x))
        for block in unet.up_blocks:
            parts = list(self.parts(block))
            if block.upsamplers:
                parts[-1] = block.upsamplers[0]
            for part in parts:
                self.hook(part, self.output)
        for path, module in unet.named_modules():
            if path.endswith("attn2"):
                self.handles.append(module.register_forward_hook(
                    lambda module, args, kwargs, out, path=path: self.attention(path, module, args, kwargs),
                    with_kwargs=True))

    def parts(self, block):
        return getattr(block, "attentions", None) or block.resnets

    def hook(self, module, receive):
        self.handles.append(module.register_forward_hook(
            lambda module, args, out: receive(out if torch.is_tensor(out) else out[0])))

    def store(self, place, value):
        self.case.output(f"{self.name}.{place}", value)

    def input(self, value):
        self.store(f"in{self.inputs}", value)
        self.inputs += 1

    def output(self, value):
        self.store(f"out{self.outputs}", value)
        self.outputs += 1

    def attention(self, path, module, args, kwargs):
        x = args[0]
        text = kwargs["encoder_hidden_states"]
        scores = module.get_attention_scores(
            module.head_to_batch_dim(module.to_q(x)), module.head_to_batch_dim(module.to_k(text)))
        self.store(path, scores.reshape(x.shape[0], module.heads, x.shape[1], text.shape[1]))

    def remove(self):
        for handle in self.handles:
            handle.remove()


def unets():
    for seed, kind in [(3, "tiny-sd1"), (4, "tiny-sd2")]:
        unet = load(kind, UNet2DConditionModel, "unet")
        case = Case(seed)
        calls = [
            ("square", (1, 16, 16), 77, [981], False),
            ("batch", (3, 10, 14), 5, [1, 500, 999], False),
            ("odd", (1, 9, 13), 5, [261], kind == "tiny-sd1"),
            ("small", (2, 3, 5), 4, [7], False),
        ]
        for name, (n, h, w), length, times, tapped in calls:
            latents = case.input(f"{name}.latents", n, 4, h, w)
            text = case.input(f"{name}.text", n, length, 32)
            case.integers(f"{name}.times", times)
            recorder = Recorder(case, unet, name) if tapped else None
            time = torch.tensor(times) if len(times) > 1 else times[0]
            case.output(f"{name}.prediction", unet(latents, time, encoder_hidden_states=text).sample)
            if recorder:
                recorder.remove()
        case.save(HERE / f"unet-{kind}.safetensors")


def options():
    """A U-Net with every option away from its usual value, its weights in the same file."""
    config = dict(
        sample_size=8, in_channels=5, out_channels=3, block_out_channels=[8, 12],
        down_block_types=["DownBlock2D", "CrossAttnDownBlock2D"],
        up_block_types=["CrossAttnUpBlock2D", "UpBlock2D"], layers_per_block=[2, 1],
        transformer_layers_per_block=[1, 2], attention_head_dim=[4, 3], cross_attention_dim=10,
        norm_num_groups=4, norm_eps=1e-3, flip_sin_to_cos=False, freq_shift=1, downsample_padding=0,
        center_input_sample=True, time_embedding_dim=20, act_fn="swish", upcast_attention=True,
        use_linear_projection=True)
    case = Case(10)
    unet = case.weights("unet", UNet2DConditionModel(**config))
    latents, text = case.input("latents", 2, 5, 7, 6), case.input("text", 2, 3, 10)
    case.integers("times", [3, 801])
    case.output("prediction", unet(latents, torch.tensor([3, 801]), encoder_hidden_states=text).sample)
    case.save(HERE / "unet-options.safetensors", configuration=json.dumps(config))


def autoencoders():
    vae = load("tiny-sd1", AutoencoderKL, "vae")
    case = Case(5)
    for name, h, w in [("even", 32, 48), ("odd", 37, 29)]:
        image = case.input(f"{name}.image", 1, 3, h, w)
        distribution = vae.encode(image).latent_dist
        case.output(f"{name}.mean", distribution.mean)
        case.output(f"{name}.log-variance", distribution.logvar)
    vae.quant_conv.weight.mul_(256)  # until log variances leave their range
    extreme = case.input("extreme.image", 1, 3, 16, 16)
    case.output("extreme.log-variance", vae.encode(extreme).latent_dist.logvar)
    vae.quant_conv.weight.div_(256)
    for name, n, h, w in [("square", 2, 4, 4), ("uneven", 1, 5, 3)]:
        latents = case.input(f"{name}.latents", n, 4, h, w)
        case.output(f"{name}.decoded", vae.decode(latents).sample)
    case.save(HERE / "autoencoder.safetensors")


if __name__ == "__main__":
    with torch.no_grad():
        blocks()
        unets()
        options()
        autoencoders()
