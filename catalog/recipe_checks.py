"""One check per field of a recipe: name and value in, the value to use out; BadRecipe says what is allowed."""

import json
import math
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from catalog.curve import MOST_STRENGTH
from catalog.errors import BadRecipe

SCHEDULERS = ("unipc", "euler", "dpm++", "lcm")
MOST_STEPS = 1000
LEAST_GAP = 1e-5
"""Sigmas closer to each other than this are one sigma to a scheduler."""


def shown(value: Any) -> str:
    """A value as a message says it: a text in quotes, and not more than 60 characters of it."""
    if isinstance(value, str):
        return f"“{cut(value)}”" if value else "empty"
    return cut(json.dumps(value))


def cut(text: str) -> str:
    """The beginning of a text, where it is longer than 60 characters."""
    return text if len(text) <= 60 else f"{text[:59]}…"


def wrong(name: str, value: Any, allowed: str) -> BadRecipe:
    """The error for a field that is missing or has a value that is not allowed."""
    said = "is missing" if value is None else f"is {shown(value)}"
    return BadRecipe(f"“{name}” {said}; it must be {allowed}.")


def text(name: str, value: Any) -> str:
    """A string that can be written down."""
    if not isinstance(value, str):
        raise wrong(name, value, "a text")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise BadRecipe(f"“{name}” holds half a character; it must be a valid text.") from error
    return value


def whole(least: int, most: int) -> Callable[[str, Any], int]:
    """A check for whole numbers from `least` to `most`."""

    def check(name: str, value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise wrong(name, value, f"a whole number from {least} to {most}")
        return value

    return check


def number(least: float, most: float, is_open: bool = False) -> Callable[[str, Any], float]:
    """A check for finite numbers from `least` (itself not allowed when `is_open`) to `most`."""

    def check(name: str, value: Any) -> float:
        # comparing before converting: a whole number may be too large for a float
        fits = type(value) in (int, float) and least <= value <= most and not (is_open and value == least)
        if not fits or not math.isfinite(value):
            start = "above" if is_open else "from"
            raise wrong(name, value, f"a number {start} {least:g} to {most:g}")
        return float(value)

    return check


def scheduler(name: str, value: Any) -> str:
    """The name of a scheduler."""
    if not isinstance(value, str) or value not in SCHEDULERS:
        *most, last = (f"“{known}”" for known in SCHEDULERS)
        raise wrong(name, value, f"null, {', '.join(most)} or {last}")
    return value


def sigmas(name: str, value: Any) -> tuple[float, ...]:
    """The sigma of every step, from the first to the last; the 0 behind them is not said."""
    if not isinstance(value, (list, tuple)) or not 1 <= len(value) <= MOST_STEPS:
        raise wrong(name, value, f"null or a list of 1 to {MOST_STEPS} numbers, one for each step")
    check = number(0, 1, is_open=True)
    read = tuple(check(f"{name}[{i}]", sigma) for i, sigma in enumerate(value))
    for i, (before, after) in enumerate(pairwise((*read, 0.0))):
        if before - after < LEAST_GAP:
            at = min(i + 1, len(read) - 1)
            raise wrong(f"{name}[{at}]", read[at], "above 0 and less than the number before it")
    return read


def boundary(name: str, value: Any) -> float:
    """The sigma below which the low-noise expert denoises."""
    ratio = number(0, 1, is_open=True)(name, value)
    if ratio == 1:
        raise wrong(name, value, "null or a number above 0 and below 1")
    return ratio


strength = number(-MOST_STRENGTH, MOST_STRENGTH)


def file(name: str, value: Any) -> str:
    """The name or the path of a file."""
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise wrong(name, value, "the name or the path of a file")
    return text(name, value)


def sha256(name: str, value: Any) -> str:
    """A SHA-256 in lower case; "" where it is not known."""
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or not re.fullmatch("[0-9a-fA-F]{64}", value):
        raise wrong(name, value, "64 hexadecimal digits")
    return value.lower()
