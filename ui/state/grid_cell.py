"""One cell of a grid as it grows: waiting, rendering, and its clip."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from catalog.recipe import Recipe
from engine.grid import Cell
from engine.messages import Frames

Small = NDArray[np.uint8]
"""Pictures [frames, height, width, 4], as Qt paints them fastest: blue, green, red, nothing."""
Status = Literal["waiting", "rendering", "done", "failed"]


@dataclass(slots=True, eq=False)
class CellState:
    """What has become of a cell.

    `preview` is that of the newest step, `small` the finished clip in the size that a grid has room for;
    `file` has the whole one, unless `problem` says why not, or why there is no clip at all.
    """

    cell: Cell
    status: Status = "waiting"
    step: int = 0
    steps: int = 0
    preview: Frames | None = field(default=None, repr=False)
    small: Small | None = field(default=None, repr=False)
    recipe: Recipe | None = None
    file: Path | None = None
    problem: str = ""

    @property
    def name(self) -> str:
        """What sets the cell apart."""
        return ", ".join(self.cell.words)

    @property
    def words(self) -> str:
        """What has become of it, in a few words."""
        match self.status:
            case "waiting":
                return "Not rendered yet"
            case "rendering":
                return f"Step {self.step} of {self.steps}" if self.steps else "Begins…"
            case "failed":
                return self.problem
        if self.problem:
            return f"Not saved: {self.problem}"
        return f"Saved as {self.file.name}" if self.file else "Is being saved…"
