"""The sigmas that a run will have, known before the run and without torch."""

import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog.models import ModelInfo
from catalog.sampling import Sampling
from catalog.sigma_axis import TRAIN_STEPS, SigmaAxis


def planned(model: ModelInfo, asked: Sampling) -> SigmaAxis:
    """The axis of a run with these settings, bit for bit as diffusers' schedulers make it.

    Another scheduler of the model's own is taken for UniPC; its first run then tells.
    """
    name = asked.scheduler or _own_scheduler(model.path)
    if asked.sigmas is not None:
        given = _given_to_flow if name in _FLOW else _given_to_solver
        made, timesteps = given(asked.sigmas)
    else:
        made, timesteps = _COMPUTED.get(name, _unipc)(asked.steps, asked.shift)
    sigmas = tuple(float(sigma) for sigma in made)
    experts = asked.experts((float(t) for t in timesteps), model.boundary)
    return SigmaAxis(sigmas, experts, asked.border(sigmas, model.boundary))


_Floats = NDArray[np.floating]
_Times = tuple[_Floats, _Floats]


def _unipc(steps: int, shift: float) -> _Times:
    return _solver_times(_shifted(np.linspace(1, 1 / TRAIN_STEPS, steps + 1)[:-1], shift))


def _dpm(steps: int, shift: float) -> _Times:
    sigmas = _shifted(1 - np.linspace(1, 1 / TRAIN_STEPS, steps + 1), shift)[::-1][:-1]
    return sigmas.astype(np.float32), np.floor(sigmas * TRAIN_STEPS)


def _given_to_solver(sigmas: Sequence[float]) -> _Times:
    return _solver_times(np.array(sigmas, np.float64))


def _solver_times(sigmas: _Floats) -> _Times:
    """UniPC keeps a little of the picture at the start: without it, its logarithms are infinite."""
    if abs(sigmas[0] - 1) < 1e-6:
        sigmas[0] -= 1e-6
    return sigmas.astype(np.float32), np.floor(sigmas * TRAIN_STEPS)


def _flow(steps: int, shift: float) -> _Times:
    """Flow-matching Euler shifts the ends of its range before it shifts the steps between them."""
    ends = np.array([TRAIN_STEPS, 1], np.float32) / np.float32(TRAIN_STEPS)
    most, least = (float(end) * TRAIN_STEPS for end in _shifted(ends, shift))
    return _given_to_flow(_shifted(np.linspace(most, least, steps) / TRAIN_STEPS, shift))


def _given_to_flow(given: Sequence[float] | _Floats) -> _Times:
    sigmas = np.array(given, np.float32)
    return sigmas, sigmas * np.float32(TRAIN_STEPS)


def _shifted(sigmas: _Floats, shift: float) -> _Floats:
    return shift * sigmas / (1 + (shift - 1) * sigmas)


_FLOW = ("euler", "lcm", "FlowMatchEulerDiscreteScheduler")
_COMPUTED: dict[str, Callable[[int, float], _Times]] = {"dpm++": _dpm, **dict.fromkeys(_FLOW, _flow)}


@cache
def _own_scheduler(model: Path) -> str:
    try:
        config = json.loads((model / "scheduler" / "scheduler_config.json").read_text("utf-8"))
        return str(config["_class_name"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
