"""Stages `denoiser`, `expert-high` and `expert-low`: flow matching on all noise levels, then on each side."""

import copy
import random
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from clips import Clip
from diffusers import WanTransformer3DModel
from latents import clips_of, load_latents
from text import Reader
from torch import Tensor, nn
from training import Average, cosine, train
from transformer import BOUNDARY, CountedAttention, count_padding, new_transformer, padding_bias

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

    def __init__(self, model: nn.Module) -> None:
        count = min(2, torch.get_num_threads())
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


def caption_of(clip: Clip, rng: random.Random) -> str:
    """A clip's caption, or nothing for one in ten: guidance needs to know the world without words."""
    return "" if rng.random() < 0.1 else clip.caption


class Optimiser:
    """Muon for the blocks' matrices, AdamW for all else, under one learning rate."""

    def __init__(self, model: nn.Module, rate: float, decay: float = 0.01) -> None:
        named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
        matrices = [p for n, p in named if n.startswith("blocks.") and p.ndim == 2]
        others = [p for n, p in named if not (n.startswith("blocks.") and p.ndim == 2)]
        self.parts: list[torch.optim.Optimizer] = [torch.optim.AdamW(others, weight_decay=decay)]
        if matrices:
            self.parts.append(torch.optim.Muon(matrices, weight_decay=decay, adjust_lr_fn="match_rms_adamw"))
        self.parameters, self.rate = [p for _, p in named], rate

    def descend(self, factor: float) -> None:
        """One step along the gradients, at `factor` times the learning rate."""
        for group in (g for part in self.parts for g in part.param_groups):
            group["lr"] = self.rate * factor
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for part in self.parts:
            part.step()

    def state_dict(self) -> dict[str, object]:
        return {str(i): part.state_dict() for i, part in enumerate(self.parts)}

    def load_state_dict(self, state: dict[str, dict[str, object]]) -> None:
        for i, part in enumerate(self.parts):
            part.load_state_dict(state[str(i)])


def _learn(
    work: Path,
    stage: str,
    model: WanTransformer3DModel,
    side: str,
    steps: int,
    horizon: int,
    size: int,
    rate: float,
) -> None:
    """Train a denoiser on the base clips; the learning rate would reach its end at `horizon`."""
    latents, reader = load_latents(work, "base"), Reader(work)
    clips = clips_of("base", len(latents))
    twins, optimiser, average = Twins(model), Optimiser(model, rate), Average(model, 0.999)

    def step(n: int) -> Tensor:
        rng = random.Random(f"{stage} {n}")
        chosen = rng.sample(range(len(clips)), size)
        text = reader([caption_of(clips[i], rng) for i in chosen])
        loss = twins.gradients(add_noise(latents[chosen], text, side))
        optimiser.descend(cosine(n, horizon))
        average.update(model, n)
        return loss

    train(
        work / f"{stage}.pt",
        steps,
        step,
        {"model": model, "optimiser": optimiser, "average": average},
        100,
    )


def train_denoiser(work: Path, steps: int, size: int = 16, rate: float = 2e-3) -> None:
    """Learn the base world on all noise levels, for a start. About 13 minutes.

    The learning rate has not fallen far at the end: most is left to the experts, because motion is
    decided at high noise, which only three in ten of these samples see.
    """
    _learn(work, "denoiser", new_transformer(), "all", steps, 3 * steps, size, rate)


def train_expert(work: Path, side: str, steps: int, size: int = 16, rate: float = 1.5e-3) -> None:
    """Carry the denoiser on to one side of the boundary: `high` or `low`. About 30 minutes."""
    _learn(work, f"expert-{side}", averaged(work, "denoiser"), side, steps, steps, size, rate)


def averaged(work: Path, stage: str) -> WanTransformer3DModel:
    """A denoiser with the averaged weights of a stage's checkpoint, in float32."""
    model = new_transformer()
    values = torch.load(work / f"{stage}.pt", weights_only=True)["average"]
    model.load_state_dict(values)
    return model


def expert(work: Path, side: str) -> WanTransformer3DModel:
    """A finished expert exactly as the pack stores it (bfloat16 values, in float32), frozen."""
    model = averaged(work, f"expert-{side}").requires_grad_(False)
    return round_off(model.parameters(), model)


def round_off(parameters: Iterable[Tensor], model: WanTransformer3DModel) -> WanTransformer3DModel:
    """Round parameters to what bfloat16 can hold."""
    for parameter in parameters:
        parameter.data = parameter.data.to(torch.bfloat16).float()
    return model
