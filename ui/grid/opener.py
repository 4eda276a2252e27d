"""Opens the window of the grid; nothing of it is loaded before that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from engine.bridge import EngineBridge
    from ui.grid.window import GridWindow
    from ui.state.audition import Audition
    from ui.state.grid import GridState
    from ui.state.mix import MixState
    from ui.state.run import RunState


class GridOpener(QObject):
    """One window, which keeps its grid while it is closed. `outputs` says where clips are saved."""

    def __init__(
        self,
        bridge: EngineBridge,
        run: RunState,
        mix: MixState,
        audition: Audition,
        outputs: Callable[[], Path],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._bridge, self._run, self._mix, self._audition = bridge, run, mix, audition
        self._outputs, self._owner = outputs, parent
        self.state: GridState | None = None
        self.window: GridWindow | None = None

    def open(self) -> None:
        """Show the window, in front of what covers it."""
        window = self.window or self._make()
        window.setup.refresh()
        window.show()
        window.activateWindow()

    def stop(self) -> None:
        """Stop the grid and save what is finished."""
        if self.state is not None:
            self.state.stop()

    def _make(self) -> GridWindow:
        from ui.grid.setup import GridSetup
        from ui.grid.window import GridWindow
        from ui.state.grid import GridState

        self.state = GridState(self._bridge, self._run, self._mix, self._audition, self)
        setup = GridSetup(self._bridge, self._run, self._mix, self.state)
        self.window = GridWindow(setup, self.state, self._outputs, self._owner)
        return self.window
