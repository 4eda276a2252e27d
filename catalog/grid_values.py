"""What one types for the values along an axis of a grid: numbers, ranges, seeds."""

import math
import re
from collections.abc import Callable, Iterator
from typing import TypeVar

from catalog.errors import CatalogError
from catalog.recipe import MOST_SEED

MOST_VALUES = 64
LIMIT = 100.0
"""Strengths beyond this are a slip of the keyboard, not a wish."""
_DECIMALS = 4
_RANGE = re.compile(r"(\S+?)\s*(?:…|\.\.\.?|\bto\b)\s*(\S+?)(?:\s+in\s+(\S+?)(?:\s+steps?)?)?")
_T = TypeVar("_T", int, float)


class BadValues(CatalogError):
    """Values that make no axis; the sentence says which and what is allowed."""

    advice = "Type numbers with commas between them, or a range: 0…1 in 5."


def strengths_in(text: str) -> tuple[float, ...]:
    """The strengths in "0, 0.5, 1" or "0…1 in 5", in the order they are typed, to four decimals.

    Raises BadValues for what is no number, twice there, beyond ±100 or too many.
    """
    return _values(text, _strength, _spread)


def seeds_in(text: str) -> tuple[int, ...]:
    """The seeds in "7, 8, 9" or "7…9". Raises BadValues."""
    return _values(text, _seed, _counted)


def _values(
    text: str, one: Callable[[str], _T], spread: Callable[[_T, _T, str], Iterator[_T]]
) -> tuple[_T, ...]:
    pieces = [piece.strip() for piece in re.split(r"[,;]", text)]
    found: list[_T] = []
    for piece in pieces if any(pieces) else ():
        match = _RANGE.fullmatch(piece)
        values = spread(one(match[1]), one(match[2]), match[3] or "") if match else iter([one(piece)])
        for value in values:
            if value in found:
                raise BadValues(f"{value:g} is there twice.")
            found.append(value)
            if len(found) > MOST_VALUES:
                raise BadValues(f"These are too many values: at most {MOST_VALUES} fit.")
    if not found:
        raise BadValues("There is no value yet.")
    return tuple(found)


def _strength(text: str) -> float:
    try:
        value = float(text.replace("−", "-"))
    except ValueError:
        raise BadValues(f"“{_cut(text)}” is no number." if text else "A value is missing.") from None
    if not math.isfinite(value) or abs(value) > LIMIT:
        raise BadValues(f"{_cut(text)} is too far out: strengths go from −{LIMIT:g} to {LIMIT:g}.")
    return round(value, _DECIMALS) + 0.0  # no −0


def _seed(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,19}", text, re.ASCII):
        raise BadValues(
            f"“{_cut(text)}” is no seed: seeds are whole numbers." if text else "A seed is missing."
        )
    if int(text) > MOST_SEED:
        raise BadValues(f"{text} is too large for a seed.")
    return int(text)


def _spread(start: float, stop: float, count: str) -> Iterator[float]:
    """Values at equal distances, both ends among them."""
    if not re.fullmatch(r"[0-9]{1,3}", count, re.ASCII) or int(count) < 2:
        raise BadValues(
            "A range says into how many values it is divided, at least 2.", "Type for example 0…1 in 5."
        )
    last = int(count) - 1
    return (round(start + (stop - start) * i / last, _DECIMALS) + 0.0 for i in range(last + 1))


def _counted(start: int, stop: int, count: str) -> Iterator[int]:
    if count or stop < start:
        raise BadValues("A range of seeds goes upwards and has all of them.", "Type for example 7…9.")
    return iter(range(start, stop + 1))


def _cut(text: str) -> str:
    return text if len(text) <= 24 else f"{text[:23]}…"
