"""The first stage: the autoencoder."""

import copy

import numpy as np
import torch

import scenes

from .optimisation import AveragedWeights, Clock, descend, detail_loss, learning_rate


def train(session):
    options, vae, world, size = session.options, session.vae, session.world, session.size
    batch = options.batch or session.preset["batch"]["vae"]
    parameters, state = list(vae.parameters()), session.state.get("vae", {})
    optimizer = torch.optim.AdamW(parameters, lr=1e-3, betas=(0.9, 0.99), weight_decay=1e-4, fused=True)
    averages, step = AveragedWeights(parameters, 0.999), state.get("step", 0)
    clock = Clock("vae", options.minutes, options.total, state.get("minutes", 0.0))
    if "optimizer" in state:
        optimizer.load_state_dict(state["optimizer"])
        averages.shadow, averages.count = state["averages"], state["count"]
    rng = np.random.default_rng(1000 + step)
    vae.train()
    seen, x = 0, scenes.compose(world, batch, size, rng).images
    while clock.is_running:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(clock.done, options.lr or 6e-4)
        # Each batch twice, the second time mirrored: composing is not free.
        x = x.flip(3) if step % 2 else scenes.compose(world, batch, size, rng).images
        loss = reconstruction_loss(vae, x, session.cast)
        descend(loss, parameters, optimizer, averages)
        step, seen = step + 1, seen + batch
        clock.show(step, loss.item(), seen)
    averages.swap(parameters)
    scale = measure(session, rng)
    averaged = copy.deepcopy(vae.state_dict())
    averages.swap(parameters)
    is_over = clock.after >= options.total - 0.01
    session.save(
        "vae", model=averaged if is_over else vae.state_dict(), optimizer=optimizer.state_dict(),
        averages=averages.shadow, count=averages.count, step=step, minutes=clock.after, scale=scale)


def reconstruction_loss(vae, x, cast):
    with cast:
        latent = vae.encode(x).latent_dist
        sample = latent.mean + torch.exp(0.5 * latent.logvar.float()) * torch.randn_like(latent.mean)
        y = vae.decode(sample).sample
    y = y.float()
    divergence = latent.kl().mean() / sample[0].numel()
    return detail_loss(y, x) + 0.5 * (y - x).square().mean() + 1e-4 * divergence.float()


@torch.no_grad()
def measure(session, rng):
    """Prints how well pictures come back, and gives the factor that makes latents of unit spread."""
    vae, world, size = session.vae, session.world, session.size
    with session.cast:
        parts = [vae.encode(scenes.compose(world, 32, size, rng).images).latent_dist.mean for _ in range(8)]
        x = scenes.compose(world, 32, size, np.random.default_rng(7)).images
        y = vae.decode(vae.encode(x).latent_dist.mean).sample.float()
    latents = torch.cat(parts).float()
    scale = float(1 / latents.std())
    psnr = float(10 * torch.log10(4 / (y.clamp(-1, 1) - x).square().mean()))
    print(f"vae: scaling factor {scale:.5f}, mean {latents.mean():.4f}, PSNR {psnr:.2f} dB", flush=True)
    return scale
