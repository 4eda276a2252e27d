"""The noise schedule of one run: a fresh scheduler, its sigmas, and the expert of every step."""

from dataclasses import dataclass
from typing import Any

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, UniPCMultistepScheduler
from torch import Tensor

from catalog.models import Expert, ModelInfo
from catalog.recipe import Recipe
from engine.errors import BadSettings


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """A scheduler ready for its first step. `sigmas` and `experts` have one item per step."""

    scheduler: Any
    timesteps: Tensor
    sigmas: tuple[float, ...]
    experts: tuple[Expert, ...]


def schedule(base: Any, info: ModelInfo, recipe: Recipe, device: torch.device) -> Schedule:
    """The schedule that a recipe asks for, starting from the model's own scheduler `base`."""
    assert recipe.shift is not None and recipe.steps is not None
    scheduler = _build(base, recipe.scheduler, recipe.shift)
    scheduler.set_timesteps(recipe.steps, device=device)
    scheduler.set_begin_index(0)
    timesteps = scheduler.timesteps
    boundary = None if info.boundary is None else info.boundary * scheduler.config.num_train_timesteps
    return Schedule(
        scheduler=scheduler,
        timesteps=timesteps,
        sigmas=tuple(float(s) for s in scheduler.sigmas[: len(timesteps)]),
        experts=tuple("high" if boundary is None or t >= boundary else "low" for t in timesteps),
    )


def _build(base: Any, name: str | None, shift: float) -> Any:
    match name:
        case None:
            key = "shift" if isinstance(base, FlowMatchEulerDiscreteScheduler) else "flow_shift"
            return type(base).from_config(base.config, **{key: shift})
        case "unipc":
            return UniPCMultistepScheduler(
                prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=shift
            )
        case "euler":
            return FlowMatchEulerDiscreteScheduler(shift=shift)
        case _:
            raise BadSettings(f"There is no scheduler “{name}”; choose unipc or euler.")
