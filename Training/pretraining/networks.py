"""The sizes of the embedded model, its networks and its noise schedule."""

from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from .tokenizer import TOKENS

PRESETS = {
    # 256-pixel images, 32x32 latents; 52 MB in float16, with a grounding module 62
    "base": dict(
        size=256,
        vae=dict(block_out_channels=(24, 64, 96, 128), layers_per_block=1, latent_channels=4),
        unet=dict(block_out_channels=(80, 144, 208), layers_per_block=2, attention_head_dim=(2, 4, 4)),
        text=dict(width=224, layers=4, heads=4),
        batch=dict(vae=32, diffusion=256),
    ),
    # 128-pixel images, 16x16 latents: for a machine without a GPU
    "small": dict(
        size=128,
        vae=dict(block_out_channels=(16, 32, 64, 96), layers_per_block=1, latent_channels=4),
        unet=dict(block_out_channels=(64, 128, 192), layers_per_block=2, attention_head_dim=(2, 4, 6)),
        text=dict(width=192, layers=3, heads=3),
        batch=dict(vae=8, diffusion=64),
    ),
}

SCHEDULE = dict(
    num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False,
    set_alpha_to_one=False, steps_offset=1, prediction_type="v_prediction", timestep_spacing="leading")


def make(preset, vocabulary):
    """The autoencoder, the text encoder and the U-Net of a preset, with random weights."""
    size, latent = preset["size"], preset["vae"]["latent_channels"]
    vae = AutoencoderKL(
        in_channels=3, out_channels=3, sample_size=size, norm_num_groups=8,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4, **preset["vae"])
    width = preset["text"]["width"]
    text = CLIPTextModel(CLIPTextConfig(
        vocab_size=vocabulary, hidden_size=width, intermediate_size=4 * width, projection_dim=width,
        num_hidden_layers=preset["text"]["layers"], num_attention_heads=preset["text"]["heads"],
        max_position_embeddings=TOKENS, hidden_act="quick_gelu", bos_token_id=vocabulary - 2,
        eos_token_id=vocabulary - 1, pad_token_id=vocabulary - 1))
    depth = len(preset["unet"]["block_out_channels"])
    unet = UNet2DConditionModel(
        sample_size=size // 8, in_channels=latent, out_channels=latent, cross_attention_dim=width, norm_num_groups=16,
        down_block_types=("DownBlock2D",) + ("CrossAttnDownBlock2D",) * (depth - 1),
        up_block_types=("CrossAttnUpBlock2D",) * (depth - 1) + ("UpBlock2D",), **preset["unet"])
    return vae, text, unet
