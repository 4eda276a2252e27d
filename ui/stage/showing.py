"""What the stage shows: the newest preview, a step that one looks at, or the finished clip."""

from PySide6.QtCore import QObject, Signal

from engine.messages import RunStarted, StepFinished
from ui.stage.playback import Playback
from ui.state.run import RunState
from ui.state.take import Take


class Showing(QObject):
    """Chooses the frames that play.

    At rest it is what came last: a preview while a run is under way and after one that stopped, the
    finished clip otherwise. Looking at a step lasts until `look_away`; pinning one lasts until `rest`.
    """

    changed = Signal()

    def __init__(self, run_state: RunState, playback: Playback, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._run_state = run_state
        self._playback = playback
        self._at_rest: StepFinished | Take | None = None
        self._pinned: StepFinished | None = None
        self.shown: StepFinished | Take | None = None
        run_state.started.connect(self._on_started)
        run_state.step_finished.connect(self._on_step_finished)
        run_state.take_changed.connect(self._on_take_changed)
        run_state.state_changed.connect(self.changed)

    @property
    def step(self) -> int | None:
        """The step on show, counted from 0, if it is one of the run in the timeline."""
        shown = self.shown
        return shown.step if isinstance(shown, StepFinished) and shown in self._run_state.steps else None

    @property
    def is_take(self) -> bool:
        """Whether the finished clip is on."""
        return isinstance(self.shown, Take)

    @property
    def is_pinned(self) -> bool:
        """Whether a step stays on until `rest`."""
        return self._pinned is not None

    @property
    def can_show_take(self) -> bool:
        """Whether there is a finished clip that is not on and could be."""
        run = self._run_state
        return run.take is not None and run.current_run is None and not self.is_take

    def look_at(self, step: int) -> None:
        """Show the preview of a step that was done."""
        if 0 <= step < len(self._run_state.steps):
            self._show(self._run_state.steps[step])

    def look_away(self) -> None:
        """Back to the pinned step, or to what is at rest."""
        self._show(self._pinned or self._at_rest)

    def pin(self, step: int) -> None:
        """Show a step's preview until `rest`."""
        if 0 <= step < len(self._run_state.steps):
            self._pinned = self._run_state.steps[step]
            self._show(self._pinned)

    def toggle_pin(self, step: int) -> None:
        """Pin a step; the one that is pinned is let go."""
        if self._pinned is not None and self._pinned.step == step:
            self.rest()
        else:
            self.pin(step)

    def show_last(self) -> None:
        """The finished clip where there is one to show, or else what came last."""
        if self.can_show_take:
            self.show_take()
        else:
            self.rest()

    def rest(self) -> None:
        """Show what came last."""
        self._pinned = None
        self._show(self._at_rest)

    def show_take(self) -> None:
        """Show the finished clip, if there is one and no run is under way."""
        if self.can_show_take:
            self._at_rest = self._run_state.take
            self.rest()

    def _show(self, shown: StepFinished | Take | None) -> None:
        if shown is self.shown:
            return
        self.shown = shown
        match shown:
            case Take(frames=frames, fps=fps):
                self._playback.show(frames, fps)
            case StepFinished(preview=preview):
                self._playback.show(preview, self._preview_fps(len(preview)))
        self.changed.emit()

    def _preview_fps(self, frames: int) -> float:
        """A preview has fewer frames than its clip and lasts as long."""
        settings, started = self._run_state.settings, self._run_state.run_started
        fps = (started and started.recipe.fps) or settings.fps
        return fps * max(frames, 1) / ((started and started.recipe.frames) or settings.frames)

    def _on_started(self, event: RunStarted) -> None:
        self._pinned = None
        self._show(self._at_rest)

    def _on_step_finished(self, event: StepFinished) -> None:
        is_at_rest = self.shown is self._at_rest
        self._at_rest = event
        if is_at_rest and self._pinned is None:
            self._show(event)

    def _on_take_changed(self) -> None:
        self._at_rest = self._run_state.take
        self.rest()
