"""How large the pictures of a video may be: what its format can say, and what encoding it takes."""

import math

from engine.host_memory import host_memory

MOST_SIDE = 8192
MOST_PIXELS = 8192 * 4352
"""Of H.264's highest level; VP9 and GIF allow more, which nobody can play."""
OFTEN_PLAYED = 4096
"""Pixels on a side that the usual players and graphics cards decode."""
_ENCODER = 300
"""Bytes of memory for each pixel of a picture: what x264 looks ahead at was measured as 190 on two cores."""
_PALETTE = 5
"""Bytes for each pixel of every picture: a GIF's colours are chosen once all have been seen."""


def most_pixels(suffix: str, frames: int) -> int:
    """How many pixels each picture may have so that encoding takes no more than half of the free memory."""
    each = _ENCODER + (_PALETTE * frames if suffix == ".gif" else 0)
    return min(MOST_PIXELS, host_memory().free // 2 // each)


def share_that_fits(width: float, height: float, most: int) -> float:
    """How much smaller a picture must be, at most 1, to keep within `MOST_SIDE` and `most` pixels."""
    return min(1.0, MOST_SIDE / width, MOST_SIDE / height, math.sqrt(most / (width * height)))
