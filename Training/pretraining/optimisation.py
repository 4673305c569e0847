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
