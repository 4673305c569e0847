"""The state of a training: what lies in --work, the networks and their tokenizer."""

import json
import pathlib
import shutil

import torch
from diffusers.models.attention_processor import AttnProcessor

import scenes

from . import networks, tokenizer


class Session:
    """Networks with the weights of --work, else of --from, else random ones."""

    def __init__(self, options):
        self.options = options
        self.work = pathlib.Path(options.work)
        self.work.mkdir(parents=True, exist_ok=True)
        self.preset = networks.PRESETS[self._preset_name()]
        self.size = self.preset["size"]
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.world = scenes.load(options.world, self.device) if options.world else None
        if self.world and options.classes:
            self.world = scenes.restricted(self.world, options.classes)
        self.tokenizer = self._tokenizer()
        torch.manual_seed(0)
        made = networks.make(self.preset, len(self.tokenizer.ids))
        self.vae, self.text, self.unet = (network.to(self.device) for network in made)
        if self.device == "cpu":
            # The fused attention of PyTorch 2 spends most of a step in its gradient there.
            self.unet.set_attn_processor(AttnProcessor())
            self.text.set_attn_implementation("eager")
        self.cast = torch.autocast(self.device, torch.bfloat16)
        self.state = {}
        if options.start:
            self._start_from(pathlib.Path(options.start))
        for name in ("vae", "text", "unet"):
            path = self._path(name)
            if path.exists():
                self.state[name] = torch.load(path, map_location=self.device, weights_only=True)
                getattr(self, name).load_state_dict(self.state[name].pop("model"))

    def save(self, name, **state):
        torch.save(state, self._path(name))

    def use_averages(self):
        """Puts the averaged weights into the text encoder and the U-Net."""
        for name in ("text", "unet"):
            getattr(self, name).load_state_dict(self.state[name]["averaged_model"])

    @property
    def latent_scale(self):
        return self.state["vae"]["scale"]

    def _path(self, name):
        return self.work / f"{name}.pt"

    def _preset_name(self):
        """A training keeps the preset it was begun with."""
        path = self.work / "preset.json"
        if not path.exists():
            path.write_text(json.dumps(self.options.preset))
        return json.loads(path.read_text())

    def _tokenizer(self):
        folder = self.work / "tokenizer"
        if self.options.start and not folder.exists():
            shutil.copytree(pathlib.Path(self.options.start) / "tokenizer", folder)
        if not (folder / "vocab.json").exists():
            tokenizer.make(folder, self.world)
        return tokenizer.Tokenizer(folder)

    def _start_from(self, folder):
        for part, network in (("vae", self.vae), ("text_encoder", self.text), ("unet", self.unet)):
            given = type(network).from_pretrained(folder / part, torch_dtype=torch.float32)
            network.load_state_dict(given.state_dict())
        configuration = json.loads((folder / "vae/config.json").read_text())
        # Later calls, an export among them, find it in --work.
        if not self._path("vae").exists():
            self.save("vae", model=self.vae.state_dict(), scale=configuration["scaling_factor"])
