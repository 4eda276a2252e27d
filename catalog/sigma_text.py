"""Sigmas as people write and copy them, read and written."""

import re
from collections.abc import Sequence

from catalog.errors import BadRecipe
from catalog.recipe_checks import sigmas
from catalog.sigma_axis import TRAIN_STEPS


def read(text: str) -> tuple[float, ...] | None:
    """The sigmas in a text: numbers with commas, blanks or lines between them, brackets around them or not.

    Numbers above 1 make them timesteps, which count to 1000; a 0 at the end is what every run ends with.
    None where the text is empty. BadRecipe says what is wrong.
    """
    words = [word for word in re.split(r"[\s,;\[\]()]+", text) if word]
    if not words:
        return None
    try:
        numbers = [float(word) for word in words]
    except ValueError as error:
        raise BadRecipe("Sigmas are numbers with commas between them, like 1, 0.9, 0.75, 0.5.") from error
    if numbers[-1] == 0:
        numbers.pop()
    if any(number > 1 for number in numbers):
        numbers = [number / TRAIN_STEPS for number in numbers]
    return sigmas("sigmas", numbers)


def write(given: Sequence[float] | None) -> str:
    """The text of sigmas; `read` gives the same back."""
    return ", ".join(f"{sigma!r}" if sigma != 1 else "1" for sigma in given or ())
