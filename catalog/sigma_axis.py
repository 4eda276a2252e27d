"""The sigmas of a run and whose steps they are, known before the run and without torch."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog.models import Expert, ModelInfo

TRAIN_STEPS = 1000
"""Timesteps go from here to 0 as sigmas go from 1 to 0, in every Wan."""


@dataclass(frozen=True, slots=True)
class SigmaAxis:
    """Sigma and expert of every step, and the sigma where the experts change over, if there are two."""

    sigmas: tuple[float, ...]
    experts: tuple[Expert, ...]
    boundary: float | None = None

    @property
    def steps(self) -> int:
        """How many steps the run has."""
        return len(self.sigmas)

    @property
    def border(self) -> int:
        """The first step of the low-noise expert; the number of steps where it has none."""
        return next((i for i, expert in enumerate(self.experts) if expert == "low"), self.steps)

    def zone(self, expert: Expert) -> tuple[float, float]:
        """The least and the most sigma that an expert can be asked for."""
        if self.boundary is None:
            return 0.0, 1.0
        return (self.boundary, 1.0) if expert == "high" else (0.0, self.boundary)

    def steps_of(self, expert: Expert) -> tuple[int, ...]:
        """The steps that an expert makes."""
        return tuple(i for i, own in enumerate(self.experts) if own == expert)


def planned(model: ModelInfo, steps: int, shift: float, scheduler: str | None) -> SigmaAxis:
    """The axis of a run with these settings, as diffusers' UniPC and flow-matching Euler make it.

    Another scheduler of the model's own is taken for UniPC; its first run then tells.
    """
    is_euler = (scheduler or _own_scheduler(model.path)) in ("euler", "FlowMatchEulerDiscreteScheduler")
    sigmas, timesteps = _euler(steps, shift) if is_euler else _unipc(steps, shift)
    border = None if model.boundary is None else model.boundary * TRAIN_STEPS
    return SigmaAxis(
        tuple(float(s) for s in sigmas),
        tuple("high" if border is None or t >= border else "low" for t in timesteps),
        model.boundary,
    )


_Floats = NDArray[np.floating]


def _unipc(steps: int, shift: float) -> tuple[_Floats, _Floats]:
    sigmas = _shifted(np.linspace(1, 1 / TRAIN_STEPS, steps + 1)[:-1], shift)
    if abs(sigmas[0] - 1) < 1e-6:
        sigmas[0] -= 1e-6
    return sigmas.astype(np.float32), np.floor(sigmas * TRAIN_STEPS)


def _euler(steps: int, shift: float) -> tuple[_Floats, _Floats]:
    """Flow-matching Euler shifts the ends of its range before it shifts the steps between them."""
    ends = np.array([TRAIN_STEPS, 1], np.float32) / np.float32(TRAIN_STEPS)
    most, least = (float(end) * TRAIN_STEPS for end in _shifted(ends, shift))
    sigmas = _shifted(np.linspace(most, least, steps) / TRAIN_STEPS, shift).astype(np.float32)
    return sigmas, sigmas * np.float32(TRAIN_STEPS)


def _shifted(sigmas: _Floats, shift: float) -> _Floats:
    return shift * sigmas / (1 + (shift - 1) * sigmas)


@cache
def _own_scheduler(model: Path) -> str:
    try:
        config = json.loads((model / "scheduler" / "scheduler_config.json").read_text("utf-8"))
        return str(config["_class_name"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
