"""The second stage: the U-Net and the text encoder."""

import copy

import numpy as np
import torch
from diffusers import DDIMScheduler

import scenes

from .networks import SCHEDULE
from .optimisation import AveragedWeights, Clock, Muon, descend, learning_rate
from .tokenizer import TOKENS

# Prompts that are left empty, so that the model learns to do without, for guidance.
EMPTY_PROMPTS = 0.1


class LatentRing:
    """Latents of the newest scenes. Composing and encoding cost about as much as a step, so each is drawn several times,
    each time with new noise."""

    def __init__(self, session, encode, batch, rng):
        self.session, self.encode, self.rng = session, encode, rng
        channels, side = session.preset["vae"]["latent_channels"], session.size // 8
        count = max(4096, 16 * batch)
        self.latents = torch.empty(count, channels, side, side, device=session.device)
        self.tokens = torch.empty(count, TOKENS, dtype=torch.long, device=session.device)
        self.at = self.full = 0
        while self.full < min(1024, count):
            self.refill(batch)

    def refill(self, count):
        session = self.session
        made = scenes.compose(session.world, count, session.size, self.rng)
        with torch.no_grad(), session.cast:
            latents = self.encode(made.images).float() * session.latent_scale
        places = (torch.arange(count, device=session.device) + self.at) % len(self.latents)
        self.latents[places] = latents
        self.tokens[places] = session.tokenizer(made.prompts).to(session.device)
        self.at = (self.at + count) % len(self.latents)
        self.full = min(len(self.latents), self.full + count)

    def draw(self, count):
        places = torch.randint(0, self.full, (count,), device=self.latents.device)
        return self.latents[places], self.tokens[places]


def train(session):
    options, unet, text, device = session.options, session.unet, session.text, session.device
    batch = options.batch or session.preset["batch"]["diffusion"]
    state = session.state.get("unet", {})
    parameters = list(unet.parameters()) + list(text.parameters())
    optimizer = Muon(parameters)
    averages, step = AveragedWeights(parameters, 0.9995), state.get("step", 0)
    clock = Clock("diffusion", options.minutes, options.total, state.get("minutes", 0.0))
    if "optimizer" in state:
        optimizer.load_state_dict(state["optimizer"])
        averages.shadow, averages.count = state["averages"], state["count"]
    session.vae.eval().requires_grad_(False)
    unet.train()
    text.train()
    alphas = DDIMScheduler(**SCHEDULE).alphas_cumprod.to(device)
    compiled = torch.compile if options.compile else (lambda function: function)
    denoise = compiled(unet)
    encode = compiled(lambda x: session.vae.encode(x).latent_dist.mean)
    ring = LatentRing(session, encode, batch, np.random.default_rng(2000 + step))
    empty = session.tokenizer([""]).to(device)
    seen, owed = 0, 0.0
    while clock.is_running:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(clock.done, options.lr or 4e-4)
        owed += 1 / options.reuse
        if owed >= 1:
            ring.refill(batch)
            owed -= 1
        latents, tokens = ring.draw(batch)
        tokens = torch.where(torch.rand(batch, 1, device=device) < EMPTY_PROMPTS, empty, tokens)
        loss = velocity_loss(latents, tokens, alphas, denoise, text, session.cast)
        descend(loss, parameters, optimizer, averages)
        step, seen = step + 1, seen + batch
        clock.show(step, loss.item(), seen)
    raw = [copy.deepcopy(network.state_dict()) for network in (unet, text)]
    averages.swap(parameters)
    averaged = [copy.deepcopy(network.state_dict()) for network in (unet, text)]
    averages.swap(parameters)
    session.save(
        "unet", model=raw[0], averaged_model=averaged[0], optimizer=optimizer.state_dict(), averages=averages.shadow,
        count=averages.count, step=step, minutes=clock.after)
    session.save("text", model=raw[1], averaged_model=averaged[1])


def velocity_loss(latents, tokens, alphas, denoise, text, cast):
    """Squared error of the velocity, weighted so that no level of noise counts more than signal-to-noise 5 ("min-SNR").

    Levels are drawn as often as they count, spread evenly over a batch, so that few samples go to levels that hardly count.
    """
    noise = torch.randn_like(latents)
    ratios = alphas / (1 - alphas)
    weights = ratios.clamp(max=5.0) / (ratios + 1)
    weights = weights / weights.mean()
    # A tenth of the draws goes to all levels alike: none is left out.
    shares = 0.9 * weights + 0.1
    even = (torch.arange(len(latents), device=latents.device) + torch.rand_like(latents[:, 0, 0, 0])) / len(latents)
    t = torch.searchsorted(shares.cumsum(0) / shares.sum(), even).clamp(max=len(alphas) - 1)
    alpha = alphas[t][:, None, None, None]
    noisy = alpha.sqrt() * latents + (1 - alpha).sqrt() * noise
    target = alpha.sqrt() * noise - (1 - alpha).sqrt() * latents
    with cast:
        out = denoise(noisy, t, encoder_hidden_states=text(input_ids=tokens).last_hidden_state).sample
    return ((weights / shares)[t] * (out.float() - target).square().mean((1, 2, 3))).mean()
