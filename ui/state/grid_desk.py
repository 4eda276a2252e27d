"""The desk as a grid found it: what must still be there to go on, and what a cell puts back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.grid_axis import StrengthAxis

if TYPE_CHECKING:
    from engine.grid import Cell, Grid
    from ui.state.mix import MixState
    from ui.state.run import RunState
    from ui.state.strip import StripState


class GridDesk:
    """Model and strips of the moment at which a grid begins."""

    def __init__(self, grid: Grid, run: RunState, mix: MixState) -> None:
        self._grid, self._run, self._mix = grid, run, mix
        self._strips, self._model = mix.strips, run.model.path

    @property
    def is_there(self) -> bool:
        """Whether another cell can still be rendered like those before it."""
        return self._run.model.path == self._model and not self.lost

    @property
    def lost(self) -> str:
        """The name of a LoRA that plays in the grid and has left the desk; nothing while all are there."""
        played = {strip.adapter for strip in self._grid.mix.strips}
        gone = (s for s in self._strips if s.id in played and self._mix.strip(s.id) is None)
        return next((strip.name for strip in gone), "")

    def take(self, cell: Cell) -> None:
        """Put a cell's strengths on the desk, in one undo step, and its seed where seeds are an axis.

        All strips stand as they did when the grid began, so that the desk plays that cell's clip.
        """
        there = [(strip, now) for strip in self._strips if (now := self._mix.strip(strip.id))]
        strips = [self._set_as(replace(strip, entry=now.entry), cell) for strip, now in there]
        self._mix.change(f"take {', '.join(cell.words)}", strips)
        if self._grid.has_seeds and cell.recipe.seed is not None:
            self._run.take_seed(cell.recipe.seed)

    def _set_as(self, strip: StripState, cell: Cell) -> StripState:
        rows = self._grid.rows, self._grid.row_value(cell.row)
        for axis, place in ((self._grid.columns, cell.column), rows):
            if isinstance(axis, StrengthAxis) and axis.adapter == strip.id:
                strip = strip.moved(axis.experts, axis.values[place])
        return strip


def hindrance(run: RunState, mix: MixState) -> str:
    """Why no grid can begin now, in a sentence; nothing when it can."""
    if not run.is_ready:
        return "There is no model to render with yet."
    if run.hindrance[0]:
        return run.hindrance[0]
    for strip in mix.strips:
        if mix.attachment(strip.id).status == "attaching":
            return f"{strip.name} is still being loaded."
    return ""
