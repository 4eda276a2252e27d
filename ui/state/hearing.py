"""What the run under way has heard of the mix: which changes, at which strengths, and to what effect."""

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from catalog.models import Expert
from engine.bridge import EngineBridge
from engine.messages import ModelLoaded, RunStarted, StepFinished
from ui.state.mix import MixState


@dataclass(frozen=True, slots=True)
class Reading:
    """What the last step of one expert measured of one strip: `ratio` is ‖s·ΔW x‖ / ‖W x‖ at `strength`.

    It `is_live` while that expert denoises; afterwards it is held.
    """

    ratio: float
    strength: float
    is_live: bool


class Hearing(QObject):
    """Compares the newest mix with the one that the last step was made with."""

    changed = Signal()

    def __init__(self, bridge: EngineBridge, mix: MixState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._mix = mix
        self._run: int | None = None
        self._revision = 0
        self._applied: dict[tuple[str, Expert], float] = {}
        self._meters: dict[tuple[str, Expert], tuple[float, float]] = {}
        self._expert: Expert | None = None
        bridge.model_loaded.connect(self._on_model_loaded)
        bridge.run_started.connect(self._on_started)
        bridge.step_finished.connect(self._on_step)
        for ended in (bridge.run_finished, bridge.run_cancelled, bridge.clip_unsaved, bridge.failed):
            ended.connect(self._on_ended)

    @property
    def is_running(self) -> bool:
        """Whether a run is under way."""
        return self._run is not None

    def is_heard(self, strip: str, expert: Expert) -> bool:
        """False while a run is under way that has made no step since that strength was last changed."""
        return self._run is None or self._mix.last_change.get((strip, expert), 0) <= self._revision

    def applied(self, strip: str, expert: Expert) -> float | None:
        """The strength at the last step of that expert, in this run or the one before."""
        return self._applied.get((strip, expert))

    def reading(self, strip: str, expert: Expert) -> Reading | None:
        """The meter of a strip's fader, held from run to run, so that it does not flicker between drafts;
        None where nothing was measured on this model.
        """
        measured = self._meters.get((strip, expert))
        return Reading(*measured, expert == self._expert) if measured else None

    def _on_model_loaded(self, event: ModelLoaded) -> None:
        self._meters = {}
        self.changed.emit()

    def _on_started(self, event: RunStarted) -> None:
        self._run, self._revision = event.run, self._mix.mix.revision
        self._applied, self._expert = {}, None
        self.changed.emit()

    def _on_step(self, event: StepFinished) -> None:
        self._revision = max(self._revision, event.mix_revision)
        self._applied |= {(strip, event.expert): strength for strip, strength in event.strengths}
        strengths = dict(event.strengths)
        self._meters |= {(s, event.expert): (ratio, strengths[s]) for s, ratio in event.meters}
        self._expert = event.expert
        self.changed.emit()

    def _on_ended(self, event: object) -> None:
        if self._run is not None and getattr(event, "run", None) == self._run:
            self._run = self._expert = None
            self.changed.emit()
