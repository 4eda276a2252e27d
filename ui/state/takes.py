"""The runs of this session that the stage can show, and which of them is on it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from catalog.recipe import Recipe
from engine.messages import Frames, StepFinished, Unfinished
from ui.state.take import Take

MOST, MOST_BYTES = 8, 1 << 30
"""Takes kept in memory, and how much their pictures may take; the oldest go first. Saved clips stay on disk."""


class Takes(QObject):
    """Owns the takes, oldest first, and the draft under way.

    A run takes the stage when it begins. A draft takes it when it is finished, in the place of the draft
    before, unless something is `held`. `turned` says that another take is on the stage
    than before, `changed` that anything is different.
    """

    changed = Signal()
    turned = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.all: tuple[Take, ...] = ()
        self.current: Take | None = None
        self.draft: Take | None = None
        self.held: int | None = None
        """The run that somebody looks at closely; a draft of another one does not take the stage then."""
        self._running: int | None = None
        self._under: tuple[StepFinished, ...] = ()

    # What there is

    @property
    def is_running(self) -> bool:
        """Whether the take on the stage is still being made."""
        return self.current is not None and self.current.run == self._running

    @property
    def on_show(self) -> Take | None:
        """Whose steps the timeline shows: the draft under way, or else the take on the stage."""
        return self.draft or self.current

    @property
    def steps(self) -> tuple[StepFinished, ...]:
        """The steps on show; while a draft is under way the steps before its time fill up the rest."""
        if self.draft is not None:
            return self.draft.steps + self._under[len(self.draft.steps) :]
        return self.current.steps if self.current else ()

    @property
    def fresh(self) -> int:
        """How many of the steps on show are of the run on show itself."""
        return len(self.on_show.steps) if self.on_show else 0

    @property
    def newest_number(self) -> int:
        """The number of the newest take that is no draft."""
        return max((take.number for take in self.all), default=0)

    def of(self, run: int) -> Take | None:
        """The take that a run is, if it is kept."""
        return next((take for take in self.all if take.run == run), None)

    def beside(self, places: int) -> Take | None:
        """The take that many places after the one on the stage, if there is one."""
        if self.current not in self.all:
            return None
        place = self.all.index(self.current) + places
        return self.all[place] if 0 <= place < len(self.all) else None

    # What one does

    def turn(self, places: int) -> None:
        """Put the next take on the stage, or with −1 the one before."""
        if take := self.beside(places):
            self.show(take)

    def show(self, take: Take) -> None:
        """Put a take on the stage."""
        if take in self.all and take is not self.current:
            self.current = take
            self.turned.emit()
            self.changed.emit()

    # What becomes of runs

    def begin(self, take: Take, place: Take | None = None) -> None:
        """A run has begun; a continued one takes the place of the take that it continues."""
        if take.is_draft:
            self._under = self.steps if self._is_alike(take) else ()
            self.draft = take
        else:
            self.draft, self._running = None, take.run
            self.current = self._listed(take, place)
            self._forget_oldest()
        self.changed.emit()

    def add(self, step: StepFinished) -> None:
        """A step is done."""
        if self.draft is not None and self.draft.run == step.run:
            self.draft = replace(self.draft, steps=(*self.draft.steps, step))
        elif take := self.of(step.run):
            self._put(take, replace(take, steps=(*take.steps, step)))
        self.changed.emit()

    def finish(self, run: int, frames: Frames, recipe: Recipe, file: Path | None) -> None:
        """The clip of a run is there."""
        if self.draft is not None and self.draft.run == run:
            self._finish_draft(replace(self.draft, frames=frames, recipe=recipe))
        elif take := self.of(run):
            self._running = None
            self._put(take, replace(take, frames=frames, recipe=recipe, file=file))
            self._drop(lambda other: other.is_draft and _is_same_clip(other, frames))
            self._forget_oldest()
        self.changed.emit()

    def stop(self, run: int, unfinished: Unfinished | None) -> Take | None:
        """A run ended without a clip; returns its take, or None when it had no steps and is gone."""
        if take := self.of(run):
            self._running = None
            if take.steps:
                recipe = unfinished.recipe if unfinished else take.recipe
                self._put(take, replace(take, recipe=recipe, unfinished=unfinished))
            else:
                self._drop(lambda other: other is take)
        self.changed.emit()
        return self.of(run)

    def end_drafts(self) -> None:
        """No draft is under way or to come: what was on the stage before is on it again."""
        draft, self.draft, self._under = self.draft, None, ()
        if draft is not None and draft.steps and not self.all:
            self.all, self.current = (draft,), draft
        self.changed.emit()

    def keep(self, run: int, file: Path) -> None:
        """A draft was saved: it is a take like the others from now on."""
        if take := self.of(run):
            kept = replace(take, file=file, is_draft=False, number=take.number or self.newest_number + 1)
            self._put(take, kept)
            self.changed.emit()

    def _is_alike(self, take: Take) -> bool:
        return self.on_show is not None and self.on_show.count == take.count

    def _listed(self, take: Take, place: Take | None) -> Take:
        if place is not None and place in self.all:
            take = replace(take, number=place.number)
            self._put(place, take)
        else:
            take = replace(take, number=self.newest_number + 1)
            self.all = (*self.all, take)
        return take

    def _finish_draft(self, take: Take) -> None:
        self.draft, self._under = None, ()
        self._drop(lambda other: other.is_draft and other.run != self.held)
        same = [other for other in self.all if take.frames is not None and _is_same_clip(other, take.frames)]
        if same:
            take = same[-1]  # the faders are back where they were
        else:
            self.all = (*self.all, take)
        if self.current is None or self.held in (None, take.run):
            self.current = take
        self._forget_oldest()

    def _put(self, old: Take, new: Take) -> None:
        self.all = tuple(new if take is old else take for take in self.all)
        if self.current is old:
            self.current = new

    def _drop(self, is_unwanted: Callable[[Take], bool]) -> None:
        kept = tuple(take for take in self.all if not is_unwanted(take))
        if self.current not in kept:
            self.current = kept[-1] if kept else None
        self.all = kept

    def _forget_oldest(self) -> None:
        for oldest in self.all:
            if len(self.all) <= MOST and sum(take.nbytes for take in self.all) <= MOST_BYTES:
                return
            if oldest is not self.current and oldest.run != self._running:
                self.all = tuple(take for take in self.all if take is not oldest)


def _is_same_clip(take: Take, frames: Frames) -> bool:
    return (
        take.frames is not None and take.frames.shape == frames.shape and bool((take.frames == frames).all())
    )
