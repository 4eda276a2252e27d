"""Flow matching: noise levels, batches, the loss, and gradients from two threads."""

import copy
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn
from transformer import BOUNDARY, CountedAttention, count_padding, padding_bias

SHIFT = 3.0
# Uniform u in these ranges, shifted, gives each expert's noise levels.
SPLIT = BOUNDARY / (SHIFT - (SHIFT - 1) * BOUNDARY)
RANGES = {"all": (0.0, 1.0), "high": (SPLIT, 1.0), "low": (0.0, SPLIT)}


def noise_levels(count: int, side: str) -> Tensor:
    """Random sigmas [count], spread as the sampler's own schedule is."""
    low, high = RANGES[side]
    u = low + (high - low) * (torch.randperm(count) + torch.rand(count)) / count
    return SHIFT * u / (1 + (SHIFT - 1) * u)


@dataclass(frozen=True)
class Batch:
    """Clips with noise on them, and the velocity (noise − clip) to be found."""

    noisy: Tensor  # [B, 16, T, H, W]
    sigma: Tensor  # [B]
    velocity: Tensor
    text: Tensor  # [B, L+1, 64]
    lengths: Tensor  # [B]

    def part(self, which: int, of: int) -> "Batch":
        """Every `of`-th clip, from the `which`-th on."""
        return Batch(*(getattr(self, f.name)[which::of] for f in fields(self)))


def add_noise(latents: Tensor, text: tuple[Tensor, Tensor], side: str) -> Batch:
    """Put clips at random noise levels of one side."""
    sigma, noise = noise_levels(len(latents), side), torch.randn_like(latents)
    s = sigma[:, None, None, None, None]
    return Batch((1 - s) * latents + s * noise, sigma, noise - latents, *text)


def flow_loss(model: nn.Module, counted: CountedAttention, batch: Batch) -> Tensor:
    """Mean squared error of the velocity."""
    counted.bias = padding_bias(batch.lengths, batch.text.shape[1])
    guess = model(batch.noisy, 1000 * batch.sigma, batch.text, return_dict=False)[0]
    return (guess - batch.velocity).square().mean()


class Twins:
    """One model's gradients from two threads, each with half of a batch.

    Where other programs want the processor too, two threads that meet once a step lose much less
    time than one computation whose every operation is split over both cores.
    """

    def __init__(self, model: nn.Module, count: int | None = None) -> None:
        count = count or min(2, torch.get_num_threads())
        torch.set_num_threads(1)
        self.shared = list(model.parameters())
        same = {id(p): p for p in self.shared}
        self.models = [model] + [copy.deepcopy(model, dict(same)) for _ in range(count - 1)]
        self.counted = [count_padding(m) for m in self.models]
        self.pool = ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,))

    def gradients(self, batch: Batch) -> Tensor:
        """Set every parameter's `grad`; returns the loss."""
        found = list(self.pool.map(lambda i: self._part(i, batch), range(len(self.models))))
        for parameter, *parts in zip(self.shared, *(g for _, g in found), strict=True):
            parameter.grad = torch.stack(parts).mean(0)
        return torch.stack([loss for loss, _ in found]).mean()

    def _part(self, i: int, batch: Batch) -> tuple[Tensor, tuple[Tensor, ...]]:
        part = batch.part(i, len(self.models))
        loss = flow_loss(self.models[i], self.counted[i], part)
        return loss.detach(), torch.autograd.grad(loss, self.shared)
