"""Wan2GP's multiplier text on the desk: strips that play what it says, and the text that says what they play."""

from collections.abc import Sequence
from dataclasses import replace

from catalog.curve import Curve, held
from catalog.models import Expert
from catalog.multipliers import (
    MOST_PHASES,
    Entry,
    NotExpressible,
    Phases,
    Values,
    per_step,
    phases_in,
    read,
    write,
)
from catalog.sigma_axis import TRAIN_STEPS, SigmaAxis
from engine.automation import strength
from ui.state.strip import StripState, any_solo

FIRST_THRESHOLD = 965.0
"""Where the first of three phases ends in Wan2GP's own three-phase profiles; the text does not say."""


def pasted(
    text: str, strips: Sequence[StripState], axis: SigmaAxis, experts: tuple[Expert, ...]
) -> list[StripState]:
    """The strips as the text has them, entry by entry, for a run on this axis. Raises BadMultipliers.

    A phase is an expert; three phases are two of the high-noise expert and one of the other. What is one
    strength all along sets the fader, what changes on the way becomes a curve.
    """
    phases = phases_of(text, len(strips), experts)
    entries = read(text, len(strips), phases, model_switch=2 if phases == MOST_PHASES else 1)
    borders = _borders(axis, phases)
    return [
        _playing(strip, entry, axis, borders, experts) for strip, entry in zip(strips, entries, strict=True)
    ]


def phases_of(text: str, strips: int, experts: tuple[Expert, ...]) -> int:
    """In how many phases a text is read: one for each expert, or three where an entry has as many."""
    if len(experts) == 1:
        return 1
    return MOST_PHASES if phases_in(text, strips) == MOST_PHASES else 2


def copied(strips: Sequence[StripState], axis: SigmaAxis) -> str:
    """The text that makes Wan2GP play the strips as they are heard, to four digits. Raises NotExpressible."""
    if not strips:
        raise NotExpressible("There is no strip on the desk to copy multipliers from.")
    is_any_solo = any_solo(strips)
    heard = [strip.played(is_any_solo) for strip in strips]
    played = [
        tuple(round(strength(strip, expert, i, axis.sigmas), 4) for i, expert in enumerate(axis.experts))
        for strip in heard
    ]
    return write(played, axis.border)


def switch_threshold(axis: SigmaAxis) -> int | None:
    """The switch threshold with which Wan2GP changes experts at the same step, for a run with two.

    It changes at the threshold itself, diffusers only after the boundary.
    """
    if axis.boundary is None:
        return None
    threshold = int(axis.boundary * TRAIN_STEPS)
    last_high = axis.sigmas[axis.border - 1] if axis.border else 1.0
    return threshold - 1 if int(last_high * TRAIN_STEPS) <= threshold else threshold


def _borders(axis: SigmaAxis, phases: int) -> tuple[int, int]:
    if phases < MOST_PHASES:
        return axis.border, axis.steps
    first, _ = Phases(2, 1, (FIRST_THRESHOLD,)).borders([s * TRAIN_STEPS for s in axis.sigmas])
    return min(first, axis.border), axis.border


def _playing(
    strip: StripState,
    entry: Entry,
    axis: SigmaAxis,
    borders: tuple[int, int],
    experts: tuple[Expert, ...],
) -> StripState:
    played = per_step(entry, axis.steps, borders)
    high, high_curve = _fader(axis, "high", played, entry[0])
    low, low_curve = _fader(axis, "low", played, entry[-1])
    if len(experts) == 1:
        low, low_curve = high, high_curve
    return replace(
        strip,
        high=high,
        low=low,
        high_curve=high_curve,
        low_curve=low_curve,
        per_step=(),
        by_hand=frozenset(),
    )


def _fader(axis: SigmaAxis, expert: Expert, played: Values, own: Values) -> tuple[float, Curve | None]:
    """A fader's place, and its curve where one place is not enough; `own` counts where it has no step."""
    steps = axis.steps_of(expert)
    heard = [played[step] for step in steps] or [own[0]]
    if len(set(heard)) == 1:
        return heard[0], None
    return heard[0], held([axis.sigmas[step] for step in steps], heard)
