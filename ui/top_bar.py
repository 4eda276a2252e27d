"""The bar at the top: model, engine, and the buttons that start and stop a run."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ui.state.run import RunState


class TopBar(QWidget):
    """Model chooser, engine state, Generate, Cancel and settings."""

    settings_requested = Signal()

    def __init__(self, run_state: RunState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._run_state = run_state
