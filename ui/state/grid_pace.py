"""How many steps a grid has made and shared, and how long the rest of it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from engine.messages import RunFinished, StepFinished
from ui.state.grid_cell import CellState

_REMEMBERED = 16


@dataclass(slots=True)
class GridPace:
    """Follows the steps of all cells; the median of the newest ignores a slow first step or a hiccup.

    `costs` are the steps that each cell has to make, once a run has told its sigmas.
    """

    made: int = 0
    taken_over: int = 0
    costs: tuple[int, ...] = ()
    _steps: list[float] = field(default_factory=list)
    _clips: list[float] = field(default_factory=list)
    _of_this: float = 0.0
    _cell: int = 0
    _seen: set[tuple[int, int]] = field(default_factory=set)

    def begin(self, cell: int) -> None:
        """A cell begins, for the first time or again: what it had made before then counts once."""
        self._of_this, self._cell = 0.0, cell

    def after(self, step: StepFinished) -> None:
        """A step is there, made or taken over."""
        is_new = (self._cell, step.step) not in self._seen
        self._seen.add((self._cell, step.step))
        if step.is_reused and not is_new:
            return
        if step.is_reused:
            self.taken_over += 1
        else:
            self.made += 1
            self._of_this += step.seconds
            self._steps = [*self._steps[1 - _REMEMBERED :], step.seconds]

    def finish(self, clip: RunFinished) -> None:
        """A cell has its clip: what did not go into steps went into its prompt and its decoding."""
        self._clips = [*self._clips[1 - _REMEMBERED :], max(clip.seconds - self._of_this, 0.0)]

    def seconds_left(self, cells: Sequence[CellState]) -> float | None:
        """How long the cells that wait or are under way take; None before there is a pace."""
        if not self._steps or not self.costs:
            return None
        waiting = [place for place, state in enumerate(cells) if state.status == "waiting"]
        under_way = [state for state in cells if state.status == "rendering"]
        steps = sum(self.costs[place] for place in waiting) + sum(s.steps - s.step for s in under_way)
        each = median(self._clips) if self._clips else 0.0
        return steps * median(self._steps) + (len(waiting) + len(under_way)) * each
