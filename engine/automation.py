"""Which of a strip's strengths a step plays: what was recorded, its curve, or its fader."""

from collections.abc import Sequence

from catalog.models import Expert
from engine.messages import Strip


def strength(strip: Strip, expert: Expert, step: int, sigmas: Sequence[float]) -> float:
    """The strength of a strip at one step of a run with these sigmas.

    Strengths per step come first, but count only for a run of as many steps as they were written for.
    """
    if len(strip.per_step) == len(sigmas):
        return strip.per_step[step]
    is_high = expert == "high"
    curve = strip.high_curve if is_high else strip.low_curve
    if curve is not None:
        return curve.at(sigmas[step])
    return strip.high if is_high else strip.low
