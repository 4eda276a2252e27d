"""What the stage shows: the newest preview, a step that one looks at, or the finished clip."""

from PySide6.QtCore import QObject, Signal

from engine.messages import StepFinished
from ui.stage.playback import Playback
from ui.state.run import RunState
from ui.state.take import Take
from ui.state.takes import Takes

Shown = StepFinished | Take | None


class Showing(QObject):
    """Chooses the frames that play.

    At rest it is the best there is of the take on the stage; while there is nothing new of it, what was on
    before stays on. Looking at a step lasts until `look_away`; pinning one lasts until `rest`.
    """

    changed = Signal()

    def __init__(self, run_state: RunState, playback: Playback, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._run_state = run_state
        self._takes = run_state.takes
        self._playback = playback
        self._at_rest: Shown = None
        self._pinned: StepFinished | None = None
        self.shown: Shown = None
        self._takes.turned.connect(self._on_turned)
        self._takes.changed.connect(self._on_takes_changed)
        run_state.started.connect(self._on_started)
        run_state.state_changed.connect(self.changed)

    @property
    def step(self) -> int | None:
        """The step on show, counted from 0, if it is one of those in the timeline."""
        shown = self.shown
        is_there = isinstance(shown, StepFinished) and any(shown is each for each in self._takes.steps)
        return shown.step if is_there and isinstance(shown, StepFinished) else None

    @property
    def is_take(self) -> bool:
        """Whether a finished clip is on."""
        return isinstance(self.shown, Take)

    @property
    def pinned(self) -> tuple[Take, int] | None:
        """The step that stays on until `rest`, counted from 0, and its take."""
        step = self._pinned
        take = self._takes.of(step.run) if step else None
        return (take, step.step) if step and take else None

    @property
    def is_pinned(self) -> bool:
        """Whether a step stays on until `rest`."""
        return self._pinned is not None

    def again(self) -> None:
        """Give the playback back what is on show, after it was lent to something else."""
        if self.shown is None:
            self._playback.show(None, self._playback.fps)
        else:
            self._play(self.shown)

    def look_at(self, step: int) -> None:
        """Show the preview of a step that was done."""
        if 0 <= step < len(self._takes.steps):
            self._show(self._takes.steps[step])

    def look_away(self) -> None:
        """Back to the pinned step, or to what is at rest."""
        self._show(self._pinned or self._at_rest)

    def pin(self, step: int) -> None:
        """Show a step's preview until `rest`."""
        if 0 <= step < len(self._takes.steps):
            self._hold(self._takes.steps[step])
            self._show(self._pinned)
            self.changed.emit()

    def toggle_pin(self, step: int) -> None:
        """Pin a step; the one that is pinned is let go."""
        if self._pinned is not None and self._pinned.step == step:
            self.rest()
        else:
            self.pin(step)

    def rest(self) -> None:
        """Show what came last."""
        self._hold(None)
        self._at_rest = self._best()
        self._show(self._at_rest)
        self.changed.emit()

    def _hold(self, step: StepFinished | None) -> None:
        self._pinned = step
        self._takes.held = step.run if step else None

    def _show(self, shown: Shown) -> None:
        if shown is self.shown:
            return
        self.shown = shown
        self._play(shown)
        self.changed.emit()

    def _play(self, shown: Shown) -> None:
        match shown:
            case Take(frames=frames, fps=fps) if frames is not None:
                self._playback.show(frames, fps)
            case StepFinished(preview=preview):
                self._playback.show(preview, self._preview_fps(shown))

    def _preview_fps(self, step: StepFinished) -> float:
        """A preview has fewer frames than its clip and lasts as long."""
        take, settings = self._takes.of(step.run) or self._takes.on_show, self._run_state.settings
        fps = (take and take.recipe.fps) or settings.fps
        return fps * max(len(step.preview), 1) / ((take and take.recipe.frames) or settings.frames)

    def _best(self) -> Shown:
        """The best there is to see; what is on already where there is nothing better."""
        if self._takes.draft is not None:
            steps = self._takes.draft.steps
            return steps[-1] if steps and _is_better(steps[-1], self._at_rest) else self._at_rest
        take = self._takes.current
        if take is None or take.frames is not None:
            return take
        newest = take.steps[-1] if take.steps else None
        is_old_news = newest is None or (newest.is_reused and not _is_of(self._at_rest, take))
        return self._at_rest or newest if self._takes.is_running and is_old_news else newest

    def _on_started(self) -> None:
        if not self._run_state.is_drafting:
            self._hold(None)
            self._show(self._at_rest)

    def _on_turned(self) -> None:
        self._hold(None)
        self.shown = self._at_rest = None

    def _on_takes_changed(self) -> None:
        was_at_rest = self.shown is self._at_rest
        self._at_rest = self._best()
        if self._pinned is not None and not _is_kept(self._takes, self._pinned):
            self._hold(None)
            was_at_rest = True
        if was_at_rest and self._pinned is None:
            self._show(self._at_rest)
        self.changed.emit()


def _is_better(step: StepFinished, shown: Shown) -> bool:
    """Whether a draft's preview may take the place of what is on: a clip gives way to one half made."""
    if shown is None or step.is_reused:
        return shown is None
    is_late = 2 * (step.step + 1) >= step.steps
    return is_late or (isinstance(shown, StepFinished) and step.step >= shown.step)


def _is_of(shown: Shown, take: Take) -> bool:
    return shown is not None and shown.run == take.run


def _is_kept(takes: Takes, pinned: StepFinished) -> bool:
    take = takes.of(pinned.run)
    return any(step is pinned for step in (*takes.steps, *(take.steps if take else ())))
