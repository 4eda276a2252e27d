"""The grid that is rendered, cell after cell, whenever nothing else is asked of the engine."""

from __future__ import annotations

import contextlib
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from engine.bridge import EngineBridge
from engine.grid import Grid, file_stem
from engine.messages import Event, Failed, RunCancelled, RunFinished, RunStarted, StepFinished
from ui.state.audition import Audition
from ui.state.grid_cell import CellState, Small
from ui.state.grid_desk import GridDesk, hindrance
from ui.state.grid_files import MOST_BYTES, GridFiles, new_folder
from ui.state.grid_pace import GridPace
from ui.state.grid_turn import GridTurn
from ui.state.mix import MixState
from ui.state.run import RunState

MOST_UNSAVED = 2
"""Whole clips that may wait in memory to be saved before the next cell begins."""


class GridState(QObject):
    """Renders the cells of one grid apart from the stage, each as it was when the grid began.

    Whatever else is rendered (a clip, a draft, an audition) pauses it; it goes on by itself, and the steps of
    the cell that was interrupted are kept. Another model, or a LoRA that leaves the desk, ends it. Finished
    cells stay in any case. `changed` says that anything is different, `cell_changed` where.
    """

    changed = Signal()
    cell_changed = Signal(int)
    message = Signal(str, str, str, str)

    def __init__(
        self,
        bridge: EngineBridge,
        run: RunState,
        mix: MixState,
        audition: Audition,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._bridge, self._run, self._mix, self._audition = bridge, run, mix, audition
        self.files = GridFiles(self)
        self.grid: Grid | None = None
        self.cells: tuple[CellState, ...] = ()
        self.folder: Path | None = None
        self.is_going = False
        self.pace = GridPace()
        self._desk: GridDesk | None = None
        self._current: tuple[int, int] | None = None  # the run, and its cell's place
        self._turn = GridTurn(run, audition, self)
        self._turn.came.connect(self._go_on)
        self._turn.ended.connect(self._make_way)
        self.files.made_small.connect(self._on_made_small)
        self.files.saved.connect(self._on_saved)
        bridge.apart.connect(self._on_event)
        bridge.model_loaded.connect(self._on_model_loaded)
        mix.placed.connect(self._on_placed)
        mix.strip_changed.connect(self._on_desk)

    # What there is

    @property
    def is_paused(self) -> bool:
        """Whether it waits for something else to be rendered."""
        return self.is_going and self._current is None and not self.files.unsaved

    @property
    def finished(self) -> int:
        """How many cells have their clip."""
        return sum(state.status == "done" for state in self.cells)

    @property
    def missing(self) -> int:
        """How many cells have none, whether they wait or failed."""
        return len(self.cells) - self.finished

    @property
    def can_resume(self) -> bool:
        """Whether there are cells without a clip, and all that it takes to render them is still there."""
        is_there = self._desk is not None and self._desk.is_there
        return bool(self.missing) and not self.is_going and is_there and not self.hindrance()

    def hindrance(self) -> str:
        """Why no grid can begin now, in a sentence; nothing when it can."""
        return hindrance(self._run, self._mix)

    # What one does

    def begin(self, grid: Grid, outputs: Path) -> None:
        """Render a grid in place of the one before, into a folder of its own in `outputs`."""
        self.cancel()
        self._audition.leave()
        self._forget_empty_folder()
        try:
            self.folder = new_folder(outputs)
        except OSError:
            self.folder = outputs / "grid"  # saving the first clip will say what is wrong
        self.grid, self.cells = grid, tuple(CellState(cell) for cell in grid.cells)
        self._desk = GridDesk(grid, self._run, self._mix)
        self.pace = GridPace()
        self.resume()

    def resume(self) -> None:
        """Render the cells that have no clip yet."""
        if not self.can_resume:
            return
        for state in self.cells:
            if state.status == "failed":
                state.status, state.problem = "waiting", ""
        self.is_going = True
        self._go_on()
        self.changed.emit()

    def cancel(self) -> None:
        """Stop; the cells that are finished stay."""
        if self.is_going:
            self.is_going = False
            self._interrupt()
            self.changed.emit()

    def take(self, place: int) -> None:
        """Put a cell's strengths on the desk, as `GridDesk.take` does, and say so if something is missing."""
        if self._desk is None:
            return
        self._desk.take(self.cells[place].cell)
        if lost := self._desk.lost:
            sentence = f"{lost} is no longer on the desk, so the picture will be another one."
            self.message.emit("look", sentence, "Undo brings it back.", "")

    def undo(self) -> None:
        """Take back what was last done to the desk."""
        self._mix.undo.undo()

    def stop(self) -> None:
        """End for good, when everything that is finished is saved."""
        self.cancel()
        self.files.stop()
        self._forget_empty_folder()

    def _forget_empty_folder(self) -> None:
        if self.folder is not None:
            with contextlib.suppress(OSError):  # it is not empty: good
                self.folder.rmdir()

    # Cell after cell

    def _go_on(self) -> None:
        """Begin the next cell, if now is the time."""
        if not self.is_going or self.grid is None or self._current is not None or not self._turn.is_ours:
            return
        if self.files.unsaved >= MOST_UNSAVED:
            return  # `_on_saved` comes back here
        place = next((p for p in self.grid.order if self.cells[p].status == "waiting"), None)
        if place is None:
            self.is_going = False
            self.changed.emit()
            return
        state = self.cells[place]
        state.status, state.step, state.steps = "rendering", 0, 0
        self.pace.begin(place)
        self._current = self._bridge.render_apart(state.cell.recipe, state.cell.mix), place
        self._tell(place)

    def _make_way(self) -> None:
        """Let whatever else is rendered go first."""
        if self.is_going:
            self._interrupt()
            self.changed.emit()

    def _interrupt(self) -> None:
        """Stop the cell under way; its steps are kept, so that it can begin there again."""
        if self._current is not None:
            (run, place), self._current = self._current, None
            self._bridge.cancel(run)
            self.cells[place].status = "waiting"
            self._tell(place)

    def _end(self, sentence: str) -> None:
        if self.is_going:
            self.cancel()
            self.message.emit(
                "look", sentence, f"{self.finished} of {len(self.cells)} cells are finished.", ""
            )

    def _on_model_loaded(self, event: object) -> None:
        self._end("The grid ended, because a model was loaded.")

    def _on_placed(self) -> None:
        if self._desk is not None and (lost := self._desk.lost):
            self._end(f"The grid ended, because {lost} left the desk.")

    def _on_desk(self) -> None:
        """What is missing may be rendered again, now that a LoRA is back and attached."""
        if self.missing and not self.is_going:
            self.changed.emit()

    # What the engine says

    def _on_event(self, event: Event) -> None:
        if self._current is None or getattr(event, "run", None) != self._current[0]:
            return  # another one's, or a cell's that was interrupted
        place = self._current[1]
        state = self.cells[place]
        match event:
            case RunStarted():
                state.steps = len(event.sigmas)
                self._plan(event)
            case StepFinished():
                self._on_step(state, event)
            case RunFinished():
                self._on_finished(place, event)
            case Failed():
                self._on_failed(place, event.title)
            case RunCancelled():
                state.status, self._current = "waiting", None
                self.cancel()
        self._tell(place)

    def _plan(self, event: RunStarted) -> None:
        if not self.pace.costs and self.grid is not None:
            has_memory = bool(self._bridge.budget)
            every = (len(event.sigmas),) * len(self.cells)
            self.pace.costs = self.grid.costs(event.sigmas, event.experts) if has_memory else every

    def _on_step(self, state: CellState, event: StepFinished) -> None:
        state.step = event.step + 1
        if event.preview.size:
            state.preview = event.preview
        self.pace.after(event)

    def _on_finished(self, place: int, event: RunFinished) -> None:
        state, self._current = self.cells[place], None
        assert self.folder is not None
        state.status, state.recipe = "done", event.recipe
        self.pace.finish(event)
        file = self.folder / f"{file_stem(state.cell)}.mp4"
        self.files.keep(state, event, file, MOST_BYTES // len(self.cells))
        self._go_on()

    def _on_failed(self, place: int, sentence: str) -> None:
        self.cells[place].status, self.cells[place].problem = "failed", sentence
        self._current = None
        self._go_on()

    def _on_made_small(self, state: CellState, small: Small) -> None:
        state.small, state.preview = small, None
        self._tell_of(state)

    def _on_saved(self, state: CellState, file: Path | None, problem: str) -> None:
        state.file, state.problem = file, problem
        self._tell_of(state)
        self._go_on()

    def _tell_of(self, state: CellState) -> None:
        if state in self.cells:
            self._tell(self.cells.index(state))

    def _tell(self, place: int) -> None:
        self.cell_changed.emit(place)
        self.changed.emit()
