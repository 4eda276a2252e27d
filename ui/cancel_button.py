"""The button that stops what is being rendered."""

from PySide6.QtWidgets import QPushButton

from ui.state.audition import Audition
from ui.state.run import RunState


class CancelButton(QPushButton):
    """Stops the clip under way or drops one that waits; where there is none, a comparison that is being made."""

    def __init__(self, run: RunState) -> None:
        super().__init__("Cancel")
        self._run = run
        self._audition: Audition | None = None
        self.setAccessibleName("Cancel")
        self.clicked.connect(self._stop)
        run.state_changed.connect(self._refresh)
        self._refresh()

    def cover(self, audition: Audition) -> None:
        """Stop comparisons, too."""
        self._audition = audition
        audition.changed.connect(self._refresh)
        self._refresh()

    @property
    def _is_clip(self) -> bool:
        return self._run.phase in ("running", "queued")

    @property
    def _is_comparison(self) -> bool:
        trial = self._audition.trial if self._audition else None
        return trial is not None and trial.verdict is None and not self._is_clip

    def _stop(self) -> None:
        if self._is_comparison and self._audition is not None:
            self._audition.leave()
        else:
            self._run.cancel()

    def _refresh(self) -> None:
        is_comparison = self._is_comparison
        self.setEnabled(is_comparison or (self._is_clip and not self._run.is_cancelling))
        self.setToolTip(f"Stop the {'comparison' if is_comparison else 'clip under way'} (Esc)")
