"""Measures two clips against each other; `engine/verdict.py` says what the numbers mean."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.verdict import Change, Verdict

_8_BITS = math.sqrt(2 / 12)
_BLOCK = 1 << 22
_TINY = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True, slots=True, eq=False)
class Rendered:
    """A finished clip as it is measured: its pictures and, where they are known, the latents they came of."""

    frames: NDArray[np.uint8]
    latents: NDArray[np.float32] | None = None


def verdict(played: Rendered, muted: Rendered, nudged: Rendered | None = None) -> Verdict:
    """Compare two clips of one shape; `nudged` is `played` again, `NUDGE` stronger.

    Without it only rounding is the floor. The order of the first two makes no difference then.
    """
    noise = verdict(played, nudged) if nudged is not None else None
    frames = _change(played.frames, muted.frames, _8_BITS, noise.frames if noise else None)
    if played.latents is None or muted.latents is None:
        return Verdict(frames)
    floor = math.hypot(_rounding(played.latents), _rounding(muted.latents))
    return Verdict(frames, _change(played.latents, muted.latents, floor, noise.latents if noise else None))


def _change(a: NDArray[Any], b: NDArray[Any], rounding: float, noise: Change | None) -> Change:
    rms, contrast = _rms(_apart(a, b)), math.hypot(_deviation(a), _deviation(b)) / math.sqrt(2)
    floor = max(rounding, noise.rms if noise else 0.0, _TINY)
    return Change(rms, floor, rms / max(contrast, floor))


def _apart(a: NDArray[Any], b: NDArray[Any]) -> Iterator[NDArray[np.float64]]:
    return (x - y for x, y in zip(_blocks(a), _blocks(b), strict=True))


def _deviation(a: NDArray[Any]) -> float:
    mean = sum(float(block.sum()) for block in _blocks(a)) / max(a.size, 1)
    return _rms(block - mean for block in _blocks(a))


def _rms(blocks: Iterator[NDArray[np.float64]]) -> float:
    """Root mean square; 0 of nothing."""
    total, count = 0.0, 0
    for block in blocks:
        total, count = total + float(np.dot(block, block)), count + block.size
    return math.sqrt(total / max(count, 1))


def _blocks(a: NDArray[Any]) -> Iterator[NDArray[np.float64]]:
    """An array bit by bit: a long clip is not to lie in memory as floats."""
    flat = a.reshape(-1)
    return (flat[i : i + _BLOCK].astype(np.float64) for i in range(0, flat.size, _BLOCK))


def _rounding(latents: NDArray[np.float32]) -> float:
    """RMS of what bfloat16 does to these numbers: it keeps 8 bits, so a step is 2⁻⁷ of the power of two below."""
    step = np.ldexp(np.float32(1), np.frexp(latents)[1] - 8)
    return float(np.sqrt(np.mean(np.square(step, dtype=np.float64)) / 12))
