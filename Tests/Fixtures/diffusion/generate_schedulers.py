"""PNDM, DPM-Solver++ and Euler over full schedules in every setting, as folders name them, and runs of the tiny models.

    python generate_schedulers.py

Reads tiny-sd1 and tiny-sd2 (see make_tiny.py) and the prompts of generate_sampling.py.
"""

import itertools
import json
import sys
import warnings
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import torch
from diffusers import (
    DPMSolverMultistepScheduler, EulerAncestralDiscreteScheduler, EulerDiscreteScheduler, DDIMInverseScheduler,
    DDIMScheduler, PNDMScheduler, StableDiffusionPipeline)
from diffusers.schedulers import scheduling_dpmsolver_multistep, scheduling_euler_ancestral_discrete
from diffusers.utils import logging

from fixture_io import Case

COUNTS = [1, 2, 10, 25, 50]
SPACINGS = ["leading", "trailing", "linspace"]
EVERY = ["epsilon", "v_prediction", "sample"]
BASE = dict(
    beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1)
CLASSES = dict(
    PNDMScheduler=PNDMScheduler, DPMSolverMultistepScheduler=DPMSolverMultistepScheduler,
    EulerDiscreteScheduler=EulerDiscreteScheduler, EulerAncestralDiscreteScheduler=EulerAncestralDiscreteScheduler)
KARRAS = dict(use_karras_sigmas=True)
STOCHASTIC = dict(algorithm_type="sde-dpmsolver++")
# The names of the command line and what they mean here.
NAMES = {
    "ddim": (DDIMScheduler, {}),
    "pndm": (PNDMScheduler, {}),
    "dpm++2m": (DPMSolverMultistepScheduler, {}),
    "dpm++2m-karras": (DPMSolverMultistepScheduler, KARRAS),
    "dpm++2m-sde": (DPMSolverMultistepScheduler, STOCHASTIC),
    "dpm++2m-sde-karras": (DPMSolverMultistepScheduler, KARRAS | STOCHASTIC),
    "euler": (EulerDiscreteScheduler, {}),
    "euler-karras": (EulerDiscreteScheduler, KARRAS),
    "euler-ancestral": (EulerAncestralDiscreteScheduler, {}),
}


class StoredNoise:
    """Stands in for the generator of noise of the schedulers that draw some."""

    def __init__(self, values):
        self.values, self.step = values, 0

    def __call__(self, shape, **_):
        value = self.values[self.step]
        self.step += 1
        assert value.shape == tuple(shape)
        return value

    def installed(self):
        scheduling_euler_ancestral_discrete.randn_tensor = self
        scheduling_dpmsolver_multistep.randn_tensor = self
        return self


def groups():
    """Every group's settings run with every spacing, prediction and count, in this order."""
    def group(name, spacings=SPACINGS, predictions=EVERY, counts=COUNTS, **more):
        return dict(settings=dict(_class_name=name, **(BASE | more)), spacings=spacings, predictions=predictions,
                    counts=counts)

    pndm, dpm = "PNDMScheduler", "DPMSolverMultistepScheduler"
    euler, ancestral = "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler"
    noise = ["epsilon", "v_prediction"]
    velocity = dict(spacings=["trailing"], predictions=["v_prediction"], rescale_betas_zero_snr=True)
    few = dict(spacings=["linspace"], predictions=["epsilon"], counts=[10, 25])
    yield group(pndm, predictions=noise, skip_prk_steps=True)
    yield group(pndm, predictions=noise, skip_prk_steps=False, counts=[4, 10, 25])
    yield group(pndm, predictions=noise, skip_prk_steps=True, set_alpha_to_one=True, counts=[3, 10])
    for karras in [False, True]:
        yield group(euler, use_karras_sigmas=karras)
        yield group(euler, use_karras_sigmas=karras, final_sigmas_type="sigma_min", **few)
        yield group(euler, use_karras_sigmas=karras, interpolation_type="log_linear", **few)
        for algorithm in ["dpmsolver++", "sde-dpmsolver++"]:
            both = dict(use_karras_sigmas=karras, algorithm_type=algorithm)
            yield group(dpm, **both)
            yield group(dpm, solver_type="heun", **both, **few)
            yield group(dpm, euler_at_final=True, **both, **few)
            yield group(dpm, lower_order_final=False, **both, **few)
            yield group(dpm, final_sigmas_type="sigma_min", **both, **few)
            yield group(
                dpm, thresholding=True, dynamic_thresholding_ratio=0.8, sample_max_value=1.5, **both, **few)
            yield group(
                dpm, beta_schedule="squaredcos_cap_v2", lambda_min_clipped=-5.1, **both,
                predictions=["v_prediction"], counts=[10, 25])
            yield group(dpm, **both, **velocity)
        yield group(euler, use_karras_sigmas=karras, **velocity)
    yield group(euler, use_karras_sigmas=True, sigma_min=0.05, sigma_max=10.0, **few)
    yield group(ancestral, predictions=noise)
    yield group(ancestral, **velocity)


def settings(groups):
    for group in groups:
        for spacing, prediction, count in itertools.product(
                group["spacings"], group["predictions"], group["counts"]):
            yield group["settings"] | dict(timestep_spacing=spacing, prediction_type=prediction), count


def model(x, t, first):
    """A stand-in for a network, exact in single precision on both sides where the timestep is."""
    return 0.25 * x + torch.tensor(t / 1024, dtype=torch.float32) * first


def loops():
    case = Case(11)
    shape = (2, 3, 1, 1)
    x0, first = case.input("x", *shape), case.input("first", *shape)
    noise = case.input("noise", max(COUNTS), *shape)
    every = list(groups())
    calls, steps, timesteps, scales = [], [], [], []
    for setting, count in settings(every):
        made = CLASSES[setting["_class_name"]](**{k: v for k, v in setting.items() if k != "_class_name"})
        made.set_timesteps(count)
        if hasattr(made, "set_begin_index"):
            made.set_begin_index(0)  # else it begins at the second of two equal timesteps
        StoredNoise(noise).installed()
        x = x0 * made.init_noise_sigma
        calls.append(len(made.timesteps))
        scales.append(float(made.init_noise_sigma))
        for t in made.timesteps:
            prediction = model(made.scale_model_input(x, t), t.item(), first)
            x = made.step(prediction, t, x).prev_sample
            assert torch.isfinite(x).all(), (setting, count)
            steps.append(x.flatten())
            timesteps.append(t.item())
    case.output("steps", torch.stack(steps))
    case.output("timesteps", torch.tensor(timesteps))
    case.output("scales", torch.tensor(scales))
    case.integers("calls", calls)
    case.save(HERE / "scheduler-steps.safetensors", groups=json.dumps(every))


def folders():
    """What diffusers makes of a folder's file under another scheduler's name."""
    noise = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", num_train_timesteps=1000)
    files = [
        dict(_class_name="PNDMScheduler", **noise, set_alpha_to_one=False, skip_prk_steps=True, steps_offset=1,
             trained_betas=None, clip_sample=False),
        dict(_class_name="DDIMScheduler", **noise, set_alpha_to_one=False, steps_offset=1, clip_sample=False,
             prediction_type="v_prediction"),
        dict(_class_name="EulerDiscreteScheduler", **noise, timestep_spacing="trailing", steps_offset=1,
             interpolation_type="linear", use_karras_sigmas=False, clip_sample=False, skip_prk_steps=True),
        dict(_class_name="DPMSolverMultistepScheduler", **noise, solver_order=2, solver_type="midpoint",
             algorithm_type="dpmsolver++", lower_order_final=True, thresholding=False, skip_prk_steps=True,
             clip_sample=False),
    ]
    case = Case(12)
    for index, file in enumerate(files):
        original = dict(CLASSES, DDIMScheduler=DDIMScheduler)[file["_class_name"]].from_config(file)
        for name, (kind, more) in (NAMES | {"ddim-inverse": (DDIMInverseScheduler, {})}).items():
            made = kind.from_config(original.config, **more)
            made.set_timesteps(20)
            case.output(f"{index}.{name}.timesteps", made.timesteps)
            case.output(f"{index}.{name}.scale", torch.tensor([float(made.init_noise_sigma)]))
    case.save(HERE / "scheduler-folders.safetensors", files=json.dumps(files))


def runs():
    prompts = {"tiny-sd1": "a photo of a red chair", "tiny-sd2": "a small house"}
    for seed, (folder, prompt) in enumerate(prompts.items(), start=13):
        pipe = StableDiffusionPipeline.from_pretrained(
            HERE / folder, variant="fp16" if folder == "tiny-sd2" else None, torch_dtype=torch.float32,
            safety_checker=None)
        pipe.set_progress_bar_config(disable=True)
        original = pipe.scheduler.config
        case = Case(seed)
        latents = case.input("latents", 1, 4, 6, 8)
        noise = case.input("noise", 8, 1, 4, 6, 8)
        for name, (kind, more) in NAMES.items():
            if name == "ddim":
                continue
            pipe.scheduler = kind.from_config(original, **more)
            StoredNoise(noise).installed()
            steps = []
            pipe(
                # The first prompt of run-*.safetensors, whose text embedding the test reads there.
                prompt=prompt, negative_prompt="blurry" if folder == "tiny-sd1" else "", latents=latents,
                width=64, height=48, num_inference_steps=8, guidance_scale=5.0, output_type="latent",
                callback_on_step_end=lambda pipe, i, t, values: steps.append(values["latents"]) or values)
            case.output(name, torch.cat(steps))
            print(folder, name, len(steps), [round(s.std().item(), 2) for s in steps])
        case.save(HERE / f"scheduler-runs-{folder}.safetensors", steps="8", guidance="5")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.set_verbosity_error()
    with torch.no_grad():
        loops()
        folders()
        runs()
