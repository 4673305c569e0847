"""Noise schedules, timesteps, DDIM in every setting, and whole runs of the tiny models.

    python generate_sampling.py

Reads tiny-sd1 and tiny-sd2 (see make_tiny.py).
"""

import itertools
import json
import sys
import warnings
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import rescale_noise_cfg

from fixture_io import Case

BASE = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
STEPS = 10


def scheduler(**settings):
    return DDIMScheduler(**{**BASE, **settings})


def schedules():
    case = Case(6)
    kinds = dict(
        scaled=BASE, linear=dict(beta_schedule="linear", beta_start=0.0001, beta_end=0.02),
        cosine=dict(beta_schedule="squaredcos_cap_v2"), short={**BASE, "num_train_timesteps": 37},
        trained=dict(trained_betas=[0.001 * (1 + i % 7) for i in range(50)], num_train_timesteps=50),
    )
    configurations = {}
    for name, kind in kinds.items():
        for rescaled in (False, True):
            full = f"{name}-rescaled" if rescaled else name
            configurations[full] = {"_class_name": "DDIMScheduler", **kind, "rescale_betas_zero_snr": rescaled}
            made = DDIMScheduler(**kind, rescale_betas_zero_snr=rescaled)
            case.output(f"alpha-bars.{full}", made.alphas_cumprod)
            case.output(f"betas.{full}", made.betas)
    counts = [*range(1, 61), 75, 100, 103, 122, 150, 200, 250, 333, 500, 999]
    case.integers("counts", counts)
    for spacing, offset in [("leading", 1), ("leading", 0), ("trailing", 0), ("linspace", 0)]:
        made = scheduler(timestep_spacing=spacing, steps_offset=offset)
        values = []
        for count in counts:
            made.set_timesteps(count)
            # In the trailing spacing rounding can add a step at timestep -1; it is left off.
            values += made.timesteps[:count].tolist()
        case.integers(f"timesteps.{spacing}-{offset}", values)
    sample, noise = case.input("sample", 3, 2, 2, 4), case.input("noise", 3, 2, 2, 4)
    times = torch.tensor([0, 500, 999])
    case.output("noised", scheduler().add_noise(sample, noise, times))
    case.output("velocity", scheduler().get_velocity(sample, noise, times))
    case.save(HERE / "schedules.safetensors", configurations=json.dumps(configurations))


def model(x, t, first, second):
    """A stand-in for a guided network, exact in single precision on both sides."""
    time = torch.tensor(t / 1024, dtype=torch.float32)
    return 0.25 * x + time * first, 0.5 * x + time * second


def loops():
    case = Case(7)
    x0 = case.input("x", 2, 2, 2, 1)
    first, second = case.input("first", 2, 2, 2, 1), case.input("second", 2, 2, 2, 1)
    noise = case.input("noise", STEPS, 2, 2, 2, 1)
    settings = [
        dict(spacing=spacing, prediction=prediction, eta=eta, clip=clip, one=one, rescaled=rescaled,
             guidance_rescale=rescale, threshold=False)
        for spacing, prediction, eta, clip, one, rescaled, rescale in itertools.product(
            ["leading", "trailing", "linspace"], ["epsilon", "v_prediction", "sample"], [0, 0.5, 1],
            [None, 0.75], [False, True], [False, True], [0, 0.7])
    ]
    settings += [
        dict(spacing="leading", prediction=prediction, eta=0, clip=None, one=False, rescaled=False,
             guidance_rescale=0, threshold=True)
        for prediction in ["epsilon", "v_prediction", "sample"]
    ]
    results, kept = [], []
    for setting in settings:
        if setting["prediction"] == "epsilon" and setting["rescaled"] and setting["spacing"] != "leading":
            continue  # no signal at the first step: division by zero, there as here
        made = scheduler(
            timestep_spacing=setting["spacing"], prediction_type=setting["prediction"],
            clip_sample=setting["clip"] is not None, clip_sample_range=setting["clip"] or 1.0,
            set_alpha_to_one=setting["one"], rescale_betas_zero_snr=setting["rescaled"],
            steps_offset=1, thresholding=setting["threshold"], dynamic_thresholding_ratio=0.8,
            sample_max_value=1.5)
        made.set_timesteps(STEPS)
        x, steps = x0, []
        for index, t in enumerate(made.timesteps.tolist()):
            without, with_text = model(x, t, first, second)
            guided = without + 3.0 * (with_text - without)
            if setting["guidance_rescale"] > 0:
                guided = rescale_noise_cfg(guided, with_text, setting["guidance_rescale"])
            x = made.step(
                guided, t, x, eta=setting["eta"],
                variance_noise=noise[index] if setting["eta"] > 0 else None).prev_sample
            steps.append(x)
        kept.append(setting)
        results.append(torch.stack(steps))
    assert all(torch.isfinite(r).all() for r in results)
    # The first two and the last step of each loop.
    case.output("results", torch.stack([r[[0, 1, STEPS - 1]] for r in results]))
    case.save(HERE / "ddim.safetensors", settings=json.dumps(kept), steps=str(STEPS))


def runs():
    plans = {
        "tiny-sd1": dict(prompt=["a photo of a red chair", "two cats and a dog"], steps=12, guidance=7.5,
                         negative="blurry", rescale=0.0, size=(96, 64)),
        "tiny-sd2": dict(prompt=["a small house"], steps=10, guidance=4.0, negative="",
                         rescale=0.7, size=(64, 96)),
    }
    for seed, (kind, plan) in enumerate(plans.items(), start=8):
        pipe = StableDiffusionPipeline.from_pretrained(
            HERE / kind, variant="fp16" if kind == "tiny-sd2" else None, torch_dtype=torch.float32,
            safety_checker=None)
        pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
        pipe.set_progress_bar_config(disable=True)
        case = Case(seed)
        count, (width, height) = len(plan["prompt"]), plan["size"]
        latents = case.input("latents", count, 4, height // 8, width // 8)
        prompts = dict(text=plan["prompt"], unconditional=[plan["negative"]] * count)
        embeddings = {}
        for name, texts in prompts.items():
            ids = pipe.tokenizer(
                texts, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
            case.integers(f"{name}.ids", ids)
            # Only the tokens that are not padding differ, but all are kept: the encoder makes them so.
            embeddings[name] = pipe.text_encoder(ids)[0]
            case.output(f"{name}.embedding", embeddings[name])
        steps = []

        def record(pipe, index, t, values):
            steps.append(values["latents"])
            return values

        image = pipe(
            prompt=plan["prompt"], negative_prompt=[plan["negative"]] * count, latents=latents,
            width=width, height=height, num_inference_steps=plan["steps"],
            guidance_scale=plan["guidance"], guidance_rescale=plan["rescale"], output_type="np",
            callback_on_step_end=record).images
        case.output("steps", torch.stack(steps))
        case.tensors["image"] = torch.from_numpy((image * 255).round().astype("uint8"))
        plain = []
        pipe(
            prompt_embeds=embeddings["text"], latents=latents, width=width, height=height,
            num_inference_steps=10, guidance_scale=1.0, output_type="latent",
            callback_on_step_end=lambda pipe, i, t, v: plain.append(v["latents"]) or v)
        case.output("plain.last", plain[-1])
        print(kind, [round(s.std().item(), 2) for s in steps], image.std(), image.min(), image.max())
        case.save(HERE / f"run-{kind}.safetensors", plan=json.dumps(plan))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with torch.no_grad():
        schedules()
        loops()
        runs()
