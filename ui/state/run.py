"""The runs that the window asks for and follows: clips, drafts, branches, and runs continued."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, QTimer, Signal

from catalog.errors import CatalogError
from catalog.models import ModelInfo
from catalog.recipe import Recipe
from engine.bridge import EngineBridge
from engine.messages import (
    Branch,
    ClipUnsaved,
    Export,
    Exported,
    Failed,
    ModelLoaded,
    Resume,
    Reuse,
    RunCancelled,
    RunFinished,
    RunStarted,
    StageChanged,
    Start,
    StepFinished,
    Unfinished,
)
from ui.state.clip_state import ClipState
from ui.state.keeping import Keeping
from ui.state.progress import Pace, Progress
from ui.state.take import Take
from ui.state.takes import Takes

Phase = Literal["idle", "loading", "queued", "running"]
_REUSE = Reuse()


@dataclass(frozen=True, slots=True)
class Asked:
    """A run that was asked for: with which settings, where it begins, and for whom."""

    recipe: Recipe
    start: Start = _REUSE
    is_draft: bool = False
    origin: str = ""
    continues: Take | None = None


class RunState(ClipState):
    """The run under way, those that wait behind it, and the takes that came of earlier ones.

    A draft is a run that nobody asked for by name: it is not saved, and whatever else is asked for ends it.
    """

    asked = Signal()
    """Something is to be rendered: a clip, a draft, a branch, or a run to be continued."""
    started = Signal(object)
    step_finished = Signal(object)
    finished = Signal(object)
    stopped = Signal(object)
    """Take: a run that was not a draft ended without a clip, but with steps."""

    def __init__(self, bridge: EngineBridge, parent: QObject | None = None) -> None:
        super().__init__(bridge, parent)
        self.takes = Takes(self)
        self.current_run: int | None = None
        self.waiting: tuple[int, ...] = ()
        self.stage = ""
        self.is_cancelling = False
        self.progress: Progress | None = None
        self._asked: dict[int, Asked] = {}
        self._held: tuple[Asked, ...] = ()
        self._is_desk_coming = False
        self.keeping = Keeping(bridge, self.takes)
        self.seconds_per_step = 0.0
        """Of the newest steps that were made, in whichever run."""
        self._pace = Pace()
        self._newest_run = 0
        self._noticed: set[str] = set()
        bridge.run_started.connect(self._on_run_started)
        bridge.stage_changed.connect(self._on_stage_changed)
        bridge.step_finished.connect(self._on_step_finished)
        bridge.run_finished.connect(self._on_run_finished)
        bridge.clip_unsaved.connect(self._on_clip_unsaved)
        bridge.run_cancelled.connect(self._on_run_cancelled)
        bridge.exported.connect(self._on_exported)
        bridge.failed.connect(self._on_failed)

    # What holds now

    @property
    def phase(self) -> Phase:
        """What the engine is busy with, seen from the stage."""
        if self.current_run is not None:
            return "running"
        if self.waiting or self._held:
            return "queued"
        return "loading" if self.is_loading else "idle"

    @property
    def is_drafting(self) -> bool:
        """Whether all that is under way or waits is a draft."""
        runs = (*self.waiting, self.current_run) if self.current_run is not None else self.waiting
        return bool(runs) and not self._held and all(self._is_draft(run) for run in runs)

    @property
    def queue_text(self) -> str:
        """How many clips wait behind what the engine does now; nothing where none do."""
        count = len([run for run in self.waiting if not self._is_draft(run)]) + len(self._held)
        if count and self.current_run is not None and self._is_draft(self.current_run):
            count -= 1  # a draft makes way at once
        return "" if not count else "1 clip waits" if count == 1 else f"{count} clips wait"

    # What one asks for

    def generate(self) -> None:
        """Start a clip, or queue it behind the one under way; that of a draft where one is on the stage."""
        sentence, advice = self.hindrance
        if sentence:
            self.message.emit("refused", sentence, advice, "")
            return
        shown = self.takes.on_show
        is_draft_shown = shown is not None and shown.is_draft
        if self._is_seed_used and not self.is_seed_locked and not is_draft_shown:
            self.roll_seed()
        self._is_seed_used = self._ask(Asked(self.recipe())) or self._is_seed_used

    def draft(self) -> None:
        """Render with the strengths of this moment, in place of the draft before, where a clip can be made."""
        if not any(self.hindrance):
            self._ask(Asked(self.recipe(), is_draft=True))

    def branch(self, take: Take, step: int) -> None:
        """Render on from a step of a take, with the strengths of this moment, as a take of its own."""
        origin = f"Branched from {take.name.lower()} at step {step + 1}"
        self._ask(Asked(take.recipe, Branch(take.run, step), origin=origin))

    def resume(self, unfinished: Unfinished) -> None:
        """Go on with a run where it stopped; its model and LoRAs have to be in place."""
        stopped = next((take for take in self.takes.all if take.unfinished == unfinished), None)
        origin = f"Continued at step {min(unfinished.step + 1, unfinished.steps)}"
        self._ask(Asked(unfinished.recipe, Resume(unfinished.folder), origin=origin, continues=stopped))

    def cancel(self) -> None:
        """Stop the run under way, or drop the first one that waits."""
        if self.is_drafting:
            self.drop_drafts()
        elif self.current_run is not None:
            self.is_cancelling = True
            self._bridge.cancel(self.current_run)
        elif self.waiting:
            first, *rest = self.waiting
            self._bridge.cancel(first)
            self.waiting = tuple(rest)
        else:
            self._held = self._held[1:]
        self.state_changed.emit()

    def drop_drafts(self) -> None:
        """Stop the draft under way, and those that wait."""
        for run in (*self.waiting, self.current_run):
            if run is not None and self._is_draft(run):
                self._bridge.cancel(run)
        self.waiting = tuple(run for run in self.waiting if not self._is_draft(run))

    def unfinished(self) -> tuple[Unfinished, ...]:
        """The runs on disk that can be continued, newest first."""
        return self._bridge.unfinished()

    def discard(self, unfinished: Unfinished) -> None:
        """Forget an unfinished run."""
        self._bridge.discard(unfinished)

    def allow_memory(self, gib: int) -> None:
        """How much of the host's memory may hold the steps of recent runs; counts from the next run on."""
        self._bridge.budget = gib << 30

    def export(self, file: Path, take: Take | None = None) -> None:
        """Write the clip of a take, or of the one on the stage, to a file."""
        take = take or self.takes.current
        if take is not None and take.frames is not None:
            self._bridge.export(Export(take.frames, take.fps, take.recipe, file))

    def keep(self, take: Take, folder: Path) -> None:
        """Save the clip of a draft in a folder, after which it is a take like the others."""
        try:
            self.keeping.keep(take, folder)
        except OSError as error:
            sentence = f"The draft cannot be saved in {folder.name}: {error.strerror}."
            self.message.emit("refused", sentence, "Choose another output folder in the settings.", "")

    def _ask(self, asked: Asked) -> bool:
        """Send a run to the engine; one that is asked for before model and desk are there waits here, because
        the LoRAs of the desk are attached only then.
        """
        if self._is_engine_lost:
            self.message.emit("refused", "There is no engine to render with.", "Start the program again.", "")
            return False
        self.drop_drafts()
        self.asked.emit()
        if self.is_loading or self._is_desk_coming:
            self._held += (asked,)
        else:
            self._send(asked)
        self.state_changed.emit()
        return True

    def _send(self, asked: Asked) -> None:
        run = self._bridge.generate(asked.recipe, asked.start, asked.is_draft)
        self._asked[run] = asked
        self.waiting += (run,)

    def await_desk(self) -> None:
        """Send no run before `desk_came`: the desk is still to be filled."""
        self._is_desk_coming = True

    def desk_came(self) -> None:
        """The desk holds what it should at the start, or it never will."""
        self._is_desk_coming = False
        self._release()

    def _release(self) -> None:
        """Send what waited, once the model is there and the LoRAs of the desk are queued to be attached."""
        if self.is_loading or self._is_desk_coming:
            return
        held, self._held = self._held, ()
        for asked in held:
            self._send(asked)
        self.state_changed.emit()

    @property
    def engine_text(self) -> str:
        """The engine in a few words; while it renders, the device on which it does."""
        return self.device if self.current_run is not None else super().engine_text

    @property
    def is_free(self) -> bool:
        """Whether nothing that was sent to the engine is still to be made."""
        return self.current_run is None and not self.waiting

    def leave_engine(self) -> None:
        """Let the run under way end where it is; those behind it wait for the engine to come, except branches,
        whose first steps only this one has.
        """
        self.drop_drafts()
        self.asked.emit()
        later = [run for run in self.waiting if not isinstance(self._asked[run].start, Branch)]
        for run in later:
            self._bridge.cancel(run)
        self._held = (*(self._asked[run] for run in later), *self._held)
        self.waiting = tuple(run for run in self.waiting if run not in later)
        super().leave_engine()

    def keep_engine(self) -> None:
        super().keep_engine()
        self._release()

    def _is_draft(self, run: int) -> bool:
        return run in self._asked and self._asked[run].is_draft

    # Events of the engine

    def _begin(self, run: int) -> bool:
        """Follow a run; False for one that was already left behind."""
        if run < self._newest_run:
            return False
        if run != self.current_run:
            self.current_run = self._newest_run = run
            self.waiting = tuple(other for other in self.waiting if other != run)
            self.stage, self.is_cancelling = "", False
            self.progress, self._pace = None, Pace(self.seconds_per_step)
        return True

    def _end(self, run: int) -> None:
        """Let a run go."""
        self.waiting = tuple(other for other in self.waiting if other != run)
        if run == self.current_run:
            self.current_run, self.stage, self.is_cancelling = None, "", False
            self._newest_run = run + 1  # what still arrives of this run is late
        was_draft = self._is_draft(run)
        self._asked.pop(run, None)
        if was_draft and not self.is_drafting:
            self.takes.end_drafts()
        self.state_changed.emit()

    def _on_model_loaded(self, event: ModelLoaded) -> None:
        super()._on_model_loaded(event)
        if self._held:
            QTimer.singleShot(0, self, self._release)  # the desk attaches its LoRAs first

    def _on_read(
        self, then: Callable[[], None], otherwise: Callable[[], None], found: ModelInfo | CatalogError
    ) -> None:
        super()._on_read(then, otherwise, found)
        self._release()  # where there is no such model, the one before goes on

    def _on_run_started(self, event: RunStarted) -> None:
        if self._begin(event.run):
            asked = self._asked.get(event.run, Asked(event.recipe))
            model = self._loaded or self.model
            take = Take(event, model, event.recipe, origin=asked.origin, is_draft=asked.is_draft)
            self.takes.begin(take, asked.continues)
            self.started.emit(event)
            self.state_changed.emit()
            for notice in event.notices:
                if notice not in self._noticed:
                    self._noticed.add(notice)
                    self.message.emit("look", notice, "The clip remembers how it was computed.", "")

    def _on_stage_changed(self, event: StageChanged) -> None:
        if self._begin(event.run):
            self.stage = event.stage
            self.state_changed.emit()

    def _on_step_finished(self, event: StepFinished) -> None:
        if event.run == self.current_run:
            self.progress = self._pace.after(event)
            self.seconds_per_step = self.progress.seconds_per_step
            self.takes.add(event)
            self.step_finished.emit(event)

    def _on_run_finished(self, event: RunFinished) -> None:
        is_current = event.run == self.current_run
        if is_current:
            self.takes.finish(event.run, event.frames, event.recipe, event.file)
        self._end(event.run)
        if is_current:
            self.finished.emit(event)

    def _on_clip_unsaved(self, event: ClipUnsaved) -> None:
        self.takes.finish(event.run, event.frames, event.recipe, None)
        self._end(event.run)
        advice = f"{event.advice} The clip is still on the stage: Export saves it elsewhere.".strip()
        self.message.emit("look", event.title, advice, event.details)

    def _on_run_cancelled(self, event: RunCancelled) -> None:
        self._stop(event.run, event.unfinished)

    def _stop(self, run: int, unfinished: Unfinished | None) -> None:
        """A run ended without its clip."""
        take = None if self._is_draft(run) else self.takes.stop(run, unfinished)
        self._end(run)
        if take is not None:
            self.stopped.emit(take)

    def _on_exported(self, event: Exported) -> None:
        word = "Saved" if self.keeping.is_kept(event.file) else "Exported"
        self.message.emit("info", f"{word} as {event.file.name}.", "", str(event.file))

    def _on_failed(self, event: Failed) -> None:
        if event.adapter is not None:
            return  # the desk's to say, at the strip
        if event.run is not None:
            self._stop(event.run, self._left_of(event.run))
        elif event.file is not None:
            self.keeping.give_up(event.file)  # the run and the model have no part in it
        else:
            self._held = self._held if self.is_settling else ()
            self._on_load_failed(event)
        self.message.emit("refused", event.title, event.advice, event.details)

    def _left_of(self, run: int) -> Unfinished | None:
        """What a failed run left on disk to be continued."""
        take = self.takes.of(run)
        for left in self.unfinished() if take else ():
            is_same = replace(left.recipe, loras=()) == replace(take.recipe, loras=()) if take else False
            if take and is_same and left.step == len(take.steps):
                return left
        return None
