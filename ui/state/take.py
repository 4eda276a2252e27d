"""A finished clip as the window holds it."""

from dataclasses import dataclass
from pathlib import Path

from catalog.recipe import Recipe
from engine.messages import Frames


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """One finished clip; `file` is None while it is only in memory."""

    frames: Frames
    fps: int
    recipe: Recipe
    file: Path | None = None
