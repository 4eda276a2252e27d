"""Stages `denoiser`, `expert-high` and `expert-low`: flow matching on all noise levels, then on each side."""

import random
from collections.abc import Iterable
from pathlib import Path

import torch
from clips import Clip
from diffusers import WanTransformer3DModel
from flow import Twins, add_noise
from latents import clips_of, load_latents
from text import Reader
from torch import Tensor, nn
from training import Average, cosine, train
from transformer import new_transformer


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
