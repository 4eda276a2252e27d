"""The stage: the picture with what belongs under it."""

from PySide6.QtWidgets import QWidget

from ui.state.run import RunState


class StagePanel(QWidget):
    """Arranges player, timeline, transport and settings."""

    def __init__(self, run_state: RunState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._run_state = run_state

    def export_clip(self) -> None:
        """Ask for a file name and write the clip on the stage there."""
