"""Which take is on the stage, of how many, and the way to the others."""

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QWidget

from ui.stage.icon_button import IconButton
from ui.state.run import RunState
from ui.state.take import Take
from ui.theme import font


class TakeSwitch(QWidget):
    """‹ Take 2 of 3 ›, which is not there while there is only one. The words open a list."""

    recall_requested = Signal()

    def __init__(self, run_state: RunState) -> None:
        super().__init__()
        self._takes = run_state.takes
        self.back = IconButton("chevron-left", "The take before", "The take before (Alt+←)")
        self.on = IconButton("chevron-right", "The next take", "The next take (Alt+→)")
        self.list = QPushButton()
        self._dress()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for widget in (self.back, self.list, self.on):
            row.addWidget(widget)
        self.back.clicked.connect(partial(self._takes.turn, -1))
        self.on.clicked.connect(partial(self._takes.turn, 1))
        self._takes.changed.connect(self._refresh)
        self._refresh()

    def _dress(self) -> None:
        self.list.setFont(font(12, is_tabular=True))
        self.list.setProperty("quiet", True)
        self.list.setAccessibleName("Takes")
        self.list.setToolTip("Lists the takes (Enter or ↓)")
        self.list.setStyleSheet("QPushButton { padding: 3px 4px; }")
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        menu.aboutToShow.connect(self.fill)
        self.list.setMenu(menu)

    def fill(self) -> None:
        """List the takes, and what can be had of the one on the stage."""
        menu = self.list.menu()
        menu.clear()
        for take in self._takes.all:
            words = f"{take.name} · {take.origin}" if take.origin else take.name
            action = menu.addAction(words, partial(self._takes.show, take))
            action.setToolTip(words_of(take))
            action.setCheckable(True)
            action.setChecked(take is self._takes.current)
        menu.addSeparator()
        recall = menu.addAction("Bring its faders and settings back", self.recall_requested.emit)
        recall.setEnabled(self._takes.current is not None and self._takes.current.is_told)

    def _refresh(self) -> None:
        take = self._takes.current
        self.setVisible(take is not None and len(self._takes.all) > 1)
        self.back.setEnabled(self._takes.beside(-1) is not None)
        self.on.setEnabled(self._takes.beside(1) is not None)
        if take is not None:
            words = take.name if take.is_draft else f"{take.name} of {self._takes.newest_number}"
            self.list.setText(words)
            self.list.setAccessibleName(words)
            self.list.setToolTip(f"{words_of(take)}\nEnter or ↓ lists the takes")


def words_of(take: Take) -> str:
    """A take in a few lines: where it began, its prompt, its settings."""
    own = take.recipe
    numbers = f"seed {own.seed} · {take.count} steps · {own.width} × {own.height} · {own.frames} frames"
    return "\n".join(filter(None, (take.origin, f"“{own.prompt}”", numbers)))
