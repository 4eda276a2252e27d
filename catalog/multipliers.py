"""Wan2GP's text of LoRA multipliers: read as Wan2GP reads it, spread over a run's steps, and written."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from catalog.curve import MOST_STRENGTH
from catalog.errors import CatalogError

MOST_PHASES = 3

Values = tuple[float, ...]
"""What one list of the text says, spread evenly over the steps of its phase."""

Entry = tuple[Values, ...]
"""One LoRA's multipliers: one list for the whole run, or one for each phase."""

ONE: Entry = ((1.0,),)


class BadMultipliers(CatalogError):
    """A text that Wan2GP would refuse, or with numbers that no fader can have."""

    advice = "Correct the text and paste it again."


class NotExpressible(CatalogError):
    """Strengths that Wan2GP's multipliers cannot say."""


@dataclass(frozen=True, slots=True)
class Phases:
    """How Wan2GP divides a run: `count` phases (1 to 3), which end at `thresholds`, timesteps 0 to 1000.

    The experts change over after phase `model_switch`.
    """

    count: int
    model_switch: int = 1
    thresholds: tuple[float, ...] = ()

    def borders(self, timesteps: Sequence[float]) -> tuple[int, int]:
        """The first steps of the second and of the third phase: the first at or under each threshold."""
        ends = [next((i for i, t in enumerate(timesteps) if t <= end), None) for end in self.thresholds]
        first, second = (*ends[: self.count - 1], None, None)[:2]
        return (
            len(timesteps) if first is None else first,
            len(timesteps) if second is None else second,
        )


# Reading


def read(text: str, loras: int, phases: int, model_switch: int = 1) -> tuple[Entry, ...]:
    """One entry per LoRA in their order. A missing one is 1; surplus ones are not even looked at.

    Raises BadMultipliers where Wan2GP refuses the text.
    """
    if text.count("|") > 1:
        raise BadMultipliers("There are several “|” in the multipliers; at most one is allowed.")
    words = _words(text)[:loras] if text else []
    entries = [_entry(number, word, phases, model_switch) for number, word in enumerate(words, 1)]
    return (*entries, *[ONE] * (loras - len(entries)))


def phases_in(text: str, loras: int) -> int:
    """The most phases that one of the entries is written for."""
    return max((word.count(";") + 1 for word in _words(text)[:loras]), default=1)


def entries_in(text: str) -> int:
    """How many entries a text has."""
    return len(_words(text)) if text else 0


def _words(text: str) -> list[str]:
    """The entries as they are written. Two blanks in a row have an empty one between them."""
    lines = text.strip(" \r\n").replace("\r", "").split("\n")
    # a line is a comment only when # is its very first character
    kept = [line.strip() for line in lines if line and not line.startswith("#")]
    return " ".join(kept).replace("|", " ").strip().split(" ")


def _entry(number: int, word: str, phases: int, model_switch: int) -> Entry:
    word = word.strip()
    if not word:
        raise BadMultipliers(
            f"Entry {number} of the multipliers is empty: two blanks in a row, or no number."
        )
    parts = word.split(";")
    if len(parts) == 1:
        return (_values(number, word),)
    if len(parts) > phases:
        allowed = "1 phase" if phases == 1 else f"{phases} phases"
        raise BadMultipliers(
            f"Entry {number} of the multipliers ({word}) is for {len(parts)} phases; here are {allowed}."
        )
    missing = phases - len(parts)
    parts = [parts[0]] * missing + parts if model_switch == 2 else parts + [parts[-1]] * missing
    return tuple(_values(number, part) for part in parts)


def _values(number: int, text: str) -> Values:
    return tuple(_value(number, item) for item in text.split(","))


def _value(number: int, item: str) -> float:
    if ":" in item:
        raise BadMultipliers(
            f"Entry {number} of the multipliers has branches ({item}); Wan models have none."
        )
    try:
        value = float(item)
    except ValueError as error:
        raise BadMultipliers(
            f"Entry {number} of the multipliers says “{item}”, which is no number."
        ) from error
    if not math.isfinite(value) or abs(value) > MOST_STRENGTH:
        most = f"{MOST_STRENGTH:g}"
        raise BadMultipliers(
            f"Entry {number} of the multipliers says “{item}”; a strength is a number from -{most} to {most}."
        )
    return value


# Playing


def spread(values: Values, steps: int) -> Values:
    """A list over some steps, as Wan2GP documents it: step i takes value ⌊i·k/n⌋.

    Its own running sum of k/n can be rounded down where that is a whole number, and is then a step late.
    """
    return tuple(values[int(i * len(values) / steps)] for i in range(steps))


def per_step(entry: Entry, steps: int, borders: tuple[int, int]) -> Values:
    """The strength at every step; `borders` are the first steps of the second and of the third phase.

    One list without phases spans all steps.
    """
    if len(entry) == 1:
        return spread(entry[0], steps)
    second, third = borders
    lengths = (second, third - second, steps - third)
    played = (
        value for values, length in zip(entry, lengths, strict=False) for value in spread(values, length)
    )
    return tuple(played)[:steps]  # where the second threshold comes first, phases overlap


# Writing


def write(strengths: Sequence[Values], border: int) -> str:
    """The text that plays these strengths per step, one LoRA after the other, split at step `border`.

    It holds for a run of as many steps, in two phases, where `border` is neither 0 nor the last.
    """
    return " ".join(_written(played, border) for played in strengths)


def _written(played: Values, border: int) -> str:
    if len(set(played)) == 1:
        return _number(played[0])
    parts = [part for part in (played[:border], played[border:]) if part]
    return ";".join(",".join(map(_number, shortest(part))) for part in parts)


def shortest(played: Values) -> Values:
    """The shortest list that spreads to these strengths, also by Wan2GP's running sum."""
    steps = len(played)
    for count in range(1, steps):
        starts = [-(-index * steps // count) for index in range(count)]
        values = tuple(played[start] for start in starts)
        if spread(values, steps) == _added_up(values, steps) == played:
            return values
    return played


def _added_up(values: Values, steps: int) -> Values:
    place, result = 0.0, []
    for _ in range(steps):
        result.append(values[int(place)])
        place += len(values) / steps
    return tuple(result)


def _number(strength: float) -> str:
    """Without an exponent, which not every part of Wan2GP reads."""
    text = format(Decimal(repr(strength + 0.0)), "f")
    return text.removesuffix(".0")
