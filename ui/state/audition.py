"""Audition: the present recipe with one strip and without it, all else frozen, and what the difference is worth."""

from collections.abc import Iterator
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from engine.bridge import EngineBridge
from engine.messages import Event, Failed, Judged, RunCancelled, RunFinished, RunStarted, StepFinished, Strip
from engine.verdict import Verdict
from ui.state.mix import MixState
from ui.state.run import RunState
from ui.state.strip import StripState
from ui.state.trial import Side, Trial


class Audition(QObject):
    """Renders one strip's trial after the other's: first with it, then without, then the noise.

    The newest one wins; whatever else is rendered ends it. `changed` says that the trial, its progress or
    its clips are others, `judged` names a strip whose verdict came or went.
    """

    changed = Signal()
    judged = Signal(str)
    message = Signal(str, str, str, str)

    def __init__(
        self, bridge: EngineBridge, run: RunState, mix: MixState, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._bridge, self._run, self._mix = bridge, run, mix
        self.trial: Trial | None = None
        self._verdicts: dict[str, tuple[StripState, Verdict]] = {}
        bridge.apart.connect(self._on_event)
        bridge.judged.connect(self._on_judged)
        bridge.failed.connect(self._on_failed)
        bridge.model_loaded.connect(self._on_model_loaded)
        run.asked.connect(self.leave)
        mix.placed.connect(self._forget_removed)
        mix.strip_changed.connect(self._forget_changed)

    def verdict(self, id: str) -> Verdict | None:
        """What was found of that strip, while its file and strengths are still those that were heard."""
        return self._verdicts[id][1] if id in self._verdicts else None

    def begin(self, id: str) -> None:
        """Hear a strip, in place of any other one."""
        strip = self._mix.strip(id)
        if strip is None or not self._can_hear(strip):
            return
        self._stop()
        self._run.drop_drafts()
        self.trial = Trial(strip, self._run.recipe(), self._mix.mix, self._run.settings.fps)
        self._render(self.trial, "with")

    def leave(self) -> None:
        """End the trial; what is being rendered for it stops. A verdict that is there stays."""
        if self.trial is not None:
            self._stop()
            self.trial = None
            self.changed.emit()

    def _stop(self) -> None:
        if self.trial is not None and self.trial.run is not None:
            self._bridge.cancel(self.trial.run)

    def _can_hear(self, strip: StripState) -> bool:
        for sentence, advice in self._hindrances(strip):
            self.message.emit("info", sentence, advice, "")
            return False
        return True

    def _hindrances(self, strip: StripState) -> Iterator[tuple[str, str]]:
        """Why a strip cannot be heard now, the most serious first."""
        status = self._mix.attachment(strip.id).status
        if not self._run.is_ready:
            yield "There is no model to render with yet.", "Try again when it is loaded."
        if any(self._run.hindrance):
            yield self._run.hindrance
        if status == "refused":
            yield f"{strip.name} does not play on this model, so there is nothing to compare.", ""
        if status == "attaching":
            yield f"{strip.name} is still being loaded.", "Try again when it is there."
        played = next((each for each in self._mix.mix.strips if each.adapter == strip.id), None)
        if played in (None, Strip(strip.id, 0.0, 0.0)):
            yield f"{strip.name} is silent, so there is nothing to compare.", "Let it be heard first."

    # The three runs

    def _render(self, trial: Trial, side: Side) -> None:
        trial.side, trial.step, trial.steps = side, 0, 0
        trial.run = self._bridge.render_apart(trial.recipe, trial.mix_of(side))
        self.changed.emit()

    def _on_event(self, event: Event) -> None:
        trial = self.trial
        if trial is None or trial.run is None or getattr(event, "run", None) != trial.run:
            return  # of a trial that was left
        match event:
            case RunStarted(sigmas=sigmas):
                trial.steps = len(sigmas)
            case StepFinished(step=step, strengths=strengths):
                trial.step = step + 1
                if trial.side == "with":
                    trial.strengths.append(dict(strengths).get(trial.strip.id, 0.0))
            case RunFinished():
                self._take(trial, event)
                return
            case RunCancelled() | Failed():
                self._fail(event)
                return
        self.changed.emit()

    def _take(self, trial: Trial, clip: RunFinished) -> None:
        trial.clips[trial.side], trial.run = clip, None
        if trial.side == "with":
            self._render(trial, "without")
        elif trial.side == "without" and not trial.is_same:
            self._render(trial, "noise")
        else:
            clips = trial.clips
            self._bridge.judge(clips["with"], clips["without"], clips.get("noise"))
            self.changed.emit()

    def _fail(self, event: RunCancelled | Failed) -> None:
        self.trial = None
        self.changed.emit()
        if isinstance(event, Failed):
            self.message.emit("refused", event.title, event.advice, event.details)

    def _on_judged(self, event: Judged) -> None:
        trial = self.trial
        if trial is None or "with" not in trial.clips or trial.clips["with"].run != event.run:
            return
        trial.verdict = event.verdict
        trial.clips.pop("noise", None)
        strip = self._mix.strip(trial.strip.id)
        if strip is not None and _is_as_heard(strip, trial.strip):
            self._verdicts[strip.id] = trial.strip, event.verdict
            self.judged.emit(strip.id)
        self.changed.emit()

    def _on_failed(self, event: Failed) -> None:
        """The clips could not be judged, which the window says as it does of any failure."""
        trial = self.trial
        if trial is not None and "with" in trial.clips and trial.clips["with"].run == event.run:
            self.leave()

    # What no longer holds

    def _forget_removed(self) -> None:
        there = {strip.id for strip in self._mix.strips}
        self._verdicts = {id: said for id, said in self._verdicts.items() if id in there}
        if self.trial is not None and self.trial.strip.id not in there:
            self.leave()

    def _forget_changed(self, id: str) -> None:
        strip = self._mix.strip(id)
        if id in self._verdicts and strip is not None and not _is_as_heard(strip, self._verdicts[id][0]):
            del self._verdicts[id]
            self.judged.emit(id)

    def _on_model_loaded(self, event: object) -> None:
        """Nothing that was heard on one model holds on another."""
        self.leave()
        lost, self._verdicts = tuple(self._verdicts), {}
        for id in lost:
            self.judged.emit(id)


def _is_as_heard(strip: StripState, heard: StripState) -> bool:
    """Whether a strip still plays the same file as strongly; mute and solo take nothing from a verdict."""
    return replace(strip, is_muted=False, is_solo=False, entry=None) == replace(
        heard, is_muted=False, is_solo=False, entry=None
    )
