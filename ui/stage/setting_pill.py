"""A pill that shows one setting and opens its editor."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPushButton, QWidget

from ui.stage.popup import Popup
from ui.state.run import RunState
from ui.theme import font

Text = Callable[[RunState], str]
NewEditor = Callable[[RunState], QWidget]


class SettingPill(QPushButton):
    """Says a setting's value; click, Space, Enter or ↓ opens the editor under it."""

    def __init__(self, run_state: RunState, name: str, text: Text, new_editor: NewEditor) -> None:
        super().__init__()
        self._run_state = run_state
        self._name = name
        self._text = text
        self._new_editor = new_editor
        self.setFont(font(13, is_tabular=True))
        self.setStyleSheet("QPushButton { padding: 4px 9px; }")  # six of them in one row
        self.setToolTip(f"{name} (Enter or ↓ opens the editor)")
        self.clicked.connect(self.open)
        run_state.changed.connect(self._refresh)
        self._refresh()

    def open(self) -> Popup:
        """Open the editor."""
        popup = Popup(self, self._new_editor(self._run_state))
        popup.open()
        return popup

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Down) and not event.modifiers():
            self.open()
        else:
            super().keyPressEvent(event)

    def _refresh(self) -> None:
        self.setText(self._text(self._run_state))
        self.setAccessibleName(f"{self._name}: {self.text()}")
