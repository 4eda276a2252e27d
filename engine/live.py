"""What may change while a run is under way."""

from threading import Event

from engine.errors import Cancelled
from engine.messages import Mix


class LiveControls:
    """The one cell that two threads share: the window writes, the engine reads. One per run.

    Rebinding an attribute is atomic in Python, and a `Mix` never changes, so no lock is needed.
    """

    def __init__(self, mix: Mix | None = None) -> None:
        self.mix = mix or Mix()
        self._cancelled = Event()

    def cancel(self) -> None:
        """Ask the run to stop; it does so before its next transformer block."""
        self._cancelled.set()

    @property
    def is_cancelled(self) -> bool:
        """Whether the run was asked to stop."""
        return self._cancelled.is_set()

    def check(self) -> None:
        """Raise `Cancelled` when the run was asked to stop."""
        if self._cancelled.is_set():
            raise Cancelled
