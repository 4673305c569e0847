"""What both stages of training share: averages of weights, the learning rate, the autoencoder's loss."""

import math
import time

import torch
import torch.nn.functional as F


class AveragedWeights:
    """An exponential moving average of parameters, which follows quickly at first."""

    def __init__(self, parameters, decay):
        self.shadow = [p.detach().clone() for p in parameters]
        self.decay, self.count = decay, 0

    @torch.no_grad()
    def update(self, parameters):
        self.count += 1
        decay = min(self.decay, (1 + self.count) / (10 + self.count))
        torch._foreach_lerp_(self.shadow, [p.detach() for p in parameters], 1 - decay)

    @torch.no_grad()
    def swap(self, parameters):
        """Exchanges the averages and the parameters."""
        for average, parameter in zip(self.shadow, parameters):
            held = parameter.detach().clone()
            parameter.copy_(average)
            average.copy_(held)


def learning_rate(done, peak, warm_up=0.02):
    """The rate when a part of the stage, 0...1, has passed: a short rise, then half a cosine down to zero."""
    return peak * min(1, done / warm_up + 0.02) * (0.5 + 0.5 * math.cos(math.pi * min(1, done)))


def detail_loss(x, y):
    """Absolute difference, and that of neighbouring pixels on three scales, which keeps edges."""
    loss = (x - y).abs().mean()
    for _ in range(3):
        for axis in (2, 3):
            loss = loss + 0.5 * (x.diff(dim=axis) - y.diff(dim=axis)).abs().mean()
        x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
    return loss


def descend(loss, parameters, optimizer, averages):
    """One step of the optimiser with gradients of length 1 at most."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()
    averages.update(parameters)


class Clock:
    """How far a stage is that is cut into several calls, and lines on its way."""

    def __init__(self, stage, minutes, total, before):
        self.stage, self.minutes, self.total, self.before = stage, minutes, total, before
        self.start = self.shown = time.time()

    @property
    def passed(self):
        return (time.time() - self.start) / 60

    @property
    def done(self):
        return (self.before + self.passed) / self.total

    @property
    def is_running(self):
        return self.passed < self.minutes

    @property
    def after(self):
        """Minutes of the stage once this call is over."""
        return self.before + self.minutes

    def show(self, step, loss, images):
        if time.time() - self.shown < 20 and step % 1000:
            return
        self.shown = time.time()
        rate = images / (self.shown - self.start)
        print(f"{self.stage} step {step} loss {loss:.4f} {100 * self.done:.1f}% {rate:.1f} images/s", flush=True)


class Muon(torch.optim.Optimizer):
    """Muon (Jordan et al., 2024) for matrices and convolutions, AdamW for all else.

    The momentum of a matrix is made orthogonal (all singular values near one) and scaled to AdamW's step length
    (Liu et al., 2025), so that both halves take the same learning rate.
    """

    def __init__(self, parameters, lr=4e-4, momentum=0.95, decay=1e-2):
        matrices = [p for p in parameters if p.ndim >= 2 and min(p.shape[0], p[0].numel()) > 4 and p.shape[0] <= 1024]
        chosen = {id(p) for p in matrices}
        others = [p for p in parameters if id(p) not in chosen]
        super().__init__(
            [dict(params=matrices, is_matrix=True), dict(params=others, is_matrix=False)],
            dict(lr=lr, momentum=momentum, decay=decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            parameters = [p for p in group["params"] if p.grad is not None]
            torch._foreach_mul_(parameters, 1 - group["lr"] * group["decay"])
            (self._turn if group["is_matrix"] else self._adam)(parameters, group)

    def _turn(self, parameters, group):
        gradients, momentum = [p.grad for p in parameters], self._moments(parameters, "momentum")
        torch._foreach_lerp_(momentum, gradients, 1 - group["momentum"])
        # Nesterov's look ahead; the gradient is not needed again.
        torch._foreach_lerp_(gradients, momentum, group["momentum"])
        alike = {}
        for p in parameters:
            alike.setdefault(p.flatten(1).shape, []).append(p)
        for shape, same in alike.items():
            turned = orthogonal(torch.stack([p.grad.flatten(1).bfloat16() for p in same]))
            length = 0.2 * max(shape) ** 0.5
            for p, direction in zip(same, turned):
                p.add_(direction.view_as(p), alpha=-group["lr"] * length)

    def _adam(self, parameters, group):
        gradients = [p.grad for p in parameters]
        first, second = self._moments(parameters, "first"), self._moments(parameters, "second")
        group["count"] = group.get("count", 0) + 1
        torch._foreach_lerp_(first, gradients, 0.1)
        torch._foreach_mul_(second, 0.99)
        torch._foreach_addcmul_(second, gradients, gradients, 0.01)
        roots = torch._foreach_sqrt(second)
        torch._foreach_div_(roots, (1 - 0.99 ** group["count"]) ** 0.5)
        torch._foreach_add_(roots, 1e-8)
        torch._foreach_addcdiv_(parameters, first, roots, -group["lr"] / (1 - 0.9 ** group["count"]))

    def _moments(self, parameters, name):
        for p in parameters:
            if name not in self.state[p]:
                self.state[p][name] = torch.zeros_like(p)
        return [self.state[p][name] for p in parameters]


def orthogonal(matrices, steps=5):
    """The nearest orthogonal matrices [n, rows, columns], roughly: Newton and Schulz's iteration, Jordan's coefficients."""
    is_tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if is_tall else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        square = x @ x.mT
        mixed = torch.baddbmm(square, square, square, beta=-4.7750, alpha=2.0315)
        x = torch.baddbmm(x, mixed, x, beta=3.4445)
    return x.mT if is_tall else x
