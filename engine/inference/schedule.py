"""The noise schedule of one run: a fresh scheduler, its sigmas, and the expert of every step."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from diffusers import DPMSolverMultistepScheduler, FlowMatchEulerDiscreteScheduler, UniPCMultistepScheduler
from torch import Tensor

from catalog.models import Expert, ModelInfo
from catalog.recipe import Recipe
from catalog.recipe_checks import SCHEDULERS
from catalog.sampling import Sampling
from engine.errors import BadSettings
from engine.inference.seeded_lcm import SeededLCM

State = Mapping[str, Any]
"""Attributes of a scheduler: plain values, tensors on the host, and lists of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """A scheduler ready for its first step. `sigmas` and `experts` have one item per step."""

    scheduler: Any
    timesteps: Tensor
    sigmas: tuple[float, ...]
    experts: tuple[Expert, ...]
    _at_first: dict[str, Any] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._at_first.update({name: _copy(value, "cpu") for name, value in vars(self.scheduler).items()})

    @property
    def boundary(self) -> int | None:
        """The first step of the low-noise expert after steps of the other one."""
        return self.experts.index("low") if len(set(self.experts)) == 2 else None

    def state(self) -> State:
        """All that the steps so far have changed in the scheduler, as values of its own."""
        return {
            name: _copy(value, "cpu")
            for name, value in vars(self.scheduler).items()
            if name not in self._at_first or not _equal(value, self._at_first[name])
        }

    def restore(self, state: State) -> None:
        """Put a schedule that has made no step where another one of the same settings was."""
        for name, value in state.items():
            setattr(self.scheduler, name, _copy(value, self.timesteps.device))


def schedule(base: Any, info: ModelInfo, recipe: Recipe, device: torch.device) -> Schedule:
    """The schedule that a recipe asks for, starting from the model's own scheduler `base`."""
    assert recipe.seed is not None
    asked = Sampling.of(recipe)
    scheduler = _build(base, asked.scheduler, asked.shift if asked.sigmas is None else 1.0, recipe.seed)
    if asked.sigmas is None:
        scheduler.set_timesteps(asked.steps, device=device)
    elif isinstance(scheduler, DPMSolverMultistepScheduler):
        _place(scheduler, asked.sigmas, device)
    else:
        scheduler.set_timesteps(sigmas=np.array(asked.sigmas), device=device)
    scheduler.set_begin_index(0)
    timesteps = scheduler.timesteps
    return Schedule(
        scheduler=scheduler,
        timesteps=timesteps,
        sigmas=tuple(float(s) for s in scheduler.sigmas[: len(timesteps)]),
        experts=asked.experts(timesteps.tolist(), info.boundary),
    )


def _build(base: Any, name: str | None, shift: float, seed: int) -> Any:
    match name:
        case None:
            key = "shift" if isinstance(base, FlowMatchEulerDiscreteScheduler) else "flow_shift"
            return type(base).from_config(base.config, **{key: shift})
        case "unipc":
            return UniPCMultistepScheduler(
                prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=shift
            )
        case "dpm++":
            return DPMSolverMultistepScheduler(
                prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=shift
            )
        case "euler":
            return FlowMatchEulerDiscreteScheduler(shift=shift)
        case "lcm":
            scheduler = SeededLCM(shift=shift)
            scheduler.seed = seed
            return scheduler
        case _:
            known = ", ".join(SCHEDULERS)
            raise BadSettings(f"There is no scheduler “{name}”; choose one of {known}.")


def _place(solver: DPMSolverMultistepScheduler, sigmas: tuple[float, ...], device: torch.device) -> None:
    """Give sigmas to a solver that cannot be asked for them, as UniPC takes them."""
    solver.set_timesteps(len(sigmas), device=device)
    like = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True)
    like.set_timesteps(sigmas=np.array(sigmas), device=device)
    solver.sigmas, solver.timesteps = like.sigmas, like.timesteps


def _copy(value: Any, device: torch.device | str) -> Any:
    match value:
        case Tensor():
            return value.detach().to(device, copy=True)
        case list():
            return [_copy(item, device) for item in value]
        case _:
            return value  # a number, a text, None, or the frozen configuration


def _equal(one: Any, other: Any) -> bool:
    match one, other:
        case Tensor(), Tensor():
            return one.dtype == other.dtype and torch.equal(one.cpu(), other)
        case list(), list():
            return len(one) == len(other) and all(map(_equal, one, other))
        case _:
            return type(one) is type(other) and bool(one == other)
