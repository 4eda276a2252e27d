"""What a run's plan says about memory, and what was used."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from engine.bridge import EngineBridge
from engine.memory_words import details, gib, sentence
from engine.messages import MemoryPlanned, MemoryUsed

if TYPE_CHECKING:
    from engine.plan import Choice, Plan


class MemoryState(QObject):
    """The plan of the newest run, and after it the bytes that were really used; 0 where nobody knows."""

    changed = Signal()
    message = Signal(str, str, str, str)
    """A kind, a sentence, advice and details for the message bar."""

    def __init__(self, bridge: EngineBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self.plan: Plan | None = None
        self.used = 0
        bridge.engine_ready.connect(self._forget)
        bridge.memory_planned.connect(self._on_planned)
        bridge.memory_used.connect(self._on_used)

    def choose(self, mode: "Choice") -> None:
        """The mode for runs to come."""
        self._bridge.memory = mode

    @property
    def share(self) -> float:
        """What the plan needs of what is free, 0…1."""
        return min(1.0, self.plan.needs / max(1, self.plan.memory.free)) if self.plan else 0.0

    @property
    def short(self) -> str:
        """In a few characters."""
        return f"{gib(self.plan.needs)} of {gib(self.plan.memory.free)}" if self.plan else ""

    @property
    def words(self) -> str:
        """A sentence, and a line for each part of the work."""
        if self.plan is None:
            return ""
        used = f"\nin use during the last clip: {gib(self.used)} at most" if self.used else ""
        return f"{sentence(self.plan)}\n{details(self.plan)}{used}"

    def _forget(self, _event: object) -> None:
        """Another device came, of which nothing is known."""
        self.plan, self.used = None, 0
        self.changed.emit()

    def _on_planned(self, event: MemoryPlanned) -> None:
        self.plan = event.plan
        self.changed.emit()
        if event.reason:
            self.message.emit("look", event.reason, "", details(event.plan))

    def _on_used(self, event: MemoryUsed) -> None:
        self.used = event.nbytes
        self.changed.emit()
