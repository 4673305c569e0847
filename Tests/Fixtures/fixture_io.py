"""Shared by the generators: seeded half-precision inputs and weights, and one way to write them.

Weights and inputs are rounded to half precision and stored so; outputs are computed from the rounded values in
float32 on one CPU thread and stored in float32. Versions: requirements.txt.
"""

import json

import torch
import diffusers
import transformers
from safetensors.torch import save_file

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)


class Case:
    """Collects the tensors of one fixture file."""

    def __init__(self, seed):
        self.generator = torch.Generator().manual_seed(seed)
        self.tensors = {}

    def draw(self, *shape, scale=1.0):
        return (scale * torch.randn(*shape, generator=self.generator)).half().float()

    def input(self, name, *shape, scale=1.0):
        value = self.draw(*shape, scale=scale)
        self.tensors[name] = value.half()
        return value

    def weights(self, prefix, module):
        """Redraws every parameter, so that biases and norms matter."""
        with torch.no_grad():
            for name, parameter in module.named_parameters():
                if parameter.dim() > 1:
                    parameter.copy_(self.draw(*parameter.shape, scale=parameter[0].numel() ** -0.5))
                elif name.endswith("weight"):
                    parameter.copy_((1 + self.draw(*parameter.shape, scale=0.2)).half().float())
                else:
                    parameter.copy_(self.draw(*parameter.shape, scale=0.2))
                self.tensors[f"{prefix}.{name}"] = parameter.detach().half()
        return module.eval()

    def output(self, name, value):
        self.tensors[name] = value.detach().contiguous().float()

    def integers(self, name, values):
        self.tensors[name] = torch.as_tensor(values, dtype=torch.int32)

    def save(self, path, **notes):
        versions = dict(
            torch=torch.__version__,
            diffusers=diffusers.__version__,
            transformers=transformers.__version__,
        )
        tensors = {name: value.contiguous().clone() for name, value in self.tensors.items()}
        # One entry only: safetensors writes several in an order that changes from run to run.
        save_file(tensors, path, metadata={"notes": json.dumps({**versions, **notes})})
        print(path, path.stat().st_size)
