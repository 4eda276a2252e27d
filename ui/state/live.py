"""Live: a change on the desk is rendered by itself, from the first step that it touches."""

import time

from PySide6.QtCore import QObject, QTimer, Signal

from catalog.curve import Curve
from catalog.experts import Expert
from engine.messages import Mix
from ui.state.mix import MixState
from ui.state.run import RunState

Voice = tuple[Expert, str, float, Curve | None, tuple[float, ...]]
"""What one expert hears of a strip: its adapter, and its strength in whichever form."""
SLOW = 0.3
"""Seconds: a clip that takes longer is not worth beginning while the fader still moves."""
STILLNESS = 0.12
"""Seconds without a change after which a slow clip is begun."""


class Live(QObject):
    """Asks for a draft whenever what is played has changed and no clip is being made.

    The newest change wins: a draft under way is given up for it. Where drafts are quick, the one under way
    may end first, or the picture would stand still for as long as a fader moves; where they are slow, the
    next one waits until the fader rests, and the one under way hears it meanwhile. While a clip is being
    made its next step hears the change, and nothing is begun; what comes too late for every step of it is
    rendered when the clip is there. Settings and prompts do not count.
    """

    changed = Signal()

    def __init__(self, run: RunState, mix: MixState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._run, self._mix = run, mix
        self.is_on = False
        self._is_open = False
        self._heard = _audible(mix.mix)
        self._since = 0.0
        self._is_missed = False
        self._due = QTimer(self)
        self._due.setSingleShot(True)
        self._due.timeout.connect(self._begin)
        mix.changed.connect(self._on_mix)
        run.state_changed.connect(self._on_run)
        run.started.connect(self._on_started)
        run.finished.connect(self._make_up)

    def open(self) -> None:
        """From now on changes count; what the desk was filled with at the start does not."""
        self._is_open = True

    def set_on(self, is_on: bool) -> None:
        """Switch Live on or off; off stops the draft under way."""
        if is_on == self.is_on:
            return
        self.is_on = is_on
        if not is_on:
            self._is_missed = False
            self._due.stop()
            self._run.drop_drafts()
        self.changed.emit()

    @property
    def _is_free(self) -> bool:
        """Whether there is a model, and no clip is being made or waits."""
        return self._run.is_ready and (self._run.phase == "idle" or self._run.is_drafting)

    @property
    def _is_slow(self) -> bool:
        return self._run.seconds_per_step * self._run.settings.steps > SLOW

    def _on_mix(self, mix: Mix) -> None:
        before, self._heard = self._heard, _audible(mix)
        if self._heard == before or not (self.is_on and self._is_open):
            return
        if not self._is_free:
            self._is_missed |= self._is_late(before ^ self._heard)
            return
        if self._is_slow:
            self._due.start(round(STILLNESS * 1000))
        elif not self._due.isActive():
            age = time.monotonic() - self._since
            self._due.start(max(round((SLOW - age) * 1000), 0) if self._run.is_drafting else 0)

    def _on_run(self) -> None:
        if self._due.isActive() and self._run.phase == "idle" and not self._is_slow:
            self._due.start(0)  # the quick draft that was waited for is done

    def _is_late(self, changed: frozenset[Voice]) -> bool:
        """Whether an expert that a change is for has no step to come; the one under way has begun."""
        run = self._run.current_run
        take = self._run.takes.of(run) if run is not None else None
        if take is None:
            return False
        experts = take.started.experts
        return not {voice[0] for voice in changed} & set(experts) <= set(experts[len(take.steps) + 1 :])

    def _on_started(self) -> None:
        self._is_missed = False  # this one hears all that is there

    def _make_up(self) -> None:
        """A clip is there: render what came too late for it, unless another one is made that hears it."""
        is_missed, self._is_missed = self._is_missed, False
        if is_missed and self._run.phase == "idle":
            self._due.start(0)

    def _begin(self) -> None:
        if self.is_on and self._is_free:
            self._since = time.monotonic()
            self._run.draft()


def _audible(mix: Mix) -> frozenset[Voice]:
    """What of a mix can be heard; the order of the strips cannot."""
    voices: list[Voice] = []
    for strip in mix.strips:
        voices.append(("high", strip.adapter, strip.high, strip.high_curve, strip.per_step))
        voices.append(("low", strip.adapter, strip.low, strip.low_curve, strip.per_step))
    return frozenset(voice for voice in voices if voice[2:] != (0.0, None, ()))
