"""The sigmas that a run will have, known before the run and without torch."""

import json
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog.models import ModelInfo
from catalog.sigma_axis import TRAIN_STEPS, SigmaAxis


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
