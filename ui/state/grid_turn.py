"""Whose turn it is at the engine: a grid's only while nothing else is asked of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

if TYPE_CHECKING:
    from ui.state.audition import Audition
    from ui.state.run import RunState

STILLNESS = 400
"""Milliseconds without other work after which it is the grid's turn again."""


class GridTurn(QObject):
    """`ended` when a clip, a draft or an audition is rendered, or there is no model; `came` when it was still."""

    came = Signal()
    ended = Signal()

    def __init__(self, run: RunState, audition: Audition, parent: QObject) -> None:
        super().__init__(parent)
        self._run, self._audition = run, audition
        self._rest = QTimer(self, singleShot=True, interval=STILLNESS)
        self._rest.timeout.connect(self.came)
        run.state_changed.connect(self._follow)
        audition.changed.connect(self._follow)

    @property
    def is_ours(self) -> bool:
        """Whether the engine has nothing else to do."""
        trial = self._audition.trial
        return self._run.phase == "idle" and self._run.is_ready and (trial is None or trial.run is None)

    def _follow(self) -> None:
        if self.is_ours:
            self._rest.start()
        else:
            self._rest.stop()
            self.ended.emit()
