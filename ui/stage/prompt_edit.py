"""An editor for the words of a prompt, as high as its words."""

import math

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QResizeEvent, QTextCursor
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QSizePolicy

_BARE = "QPlainTextEdit, QPlainTextEdit:focus, QPlainTextEdit:hover { border: 0; padding: 0; background: transparent; }"


class PromptEdit(QPlainTextEdit):
    """Grows with its words up to some lines; Ctrl+Enter renders, Tab goes on to the next control.

    One that folds is a single line while nobody writes in it.
    """

    generate_requested = Signal()
    edited = Signal(str)
    focus_changed = Signal()

    def __init__(self, name: str, most_lines: int, is_folding: bool = False) -> None:
        super().__init__()
        self._most_lines = most_lines
        self._is_folding = is_folding
        self.setTabChangesFocus(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setStyleSheet(_BARE)  # the box around both prompts has the border
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.document().setDocumentMargin(1)
        self.setAccessibleName(name)
        self.setPlaceholderText(name)
        self.textChanged.connect(self._on_text_changed)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)

    def set_words(self, words: str) -> None:
        """Put other words in; undo brings the old ones back."""
        if words == self.toPlainText():
            return
        cursor = QTextCursor(self.document())
        cursor.select(QTextCursor.SelectionType.Document)
        self.blockSignals(True)
        cursor.insertText(words)
        self.blockSignals(False)
        self._fit()

    def sizeHint(self) -> QSize:
        return QSize(200, self._wanted_height())

    def minimumSizeHint(self) -> QSize:
        return QSize(80, self._wanted_height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if is_enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.generate_requested.emit()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._on_focus_changed()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._on_focus_changed()

    def _on_focus_changed(self) -> None:
        self._fit()
        self.focus_changed.emit()

    def _on_text_changed(self) -> None:
        self._fit()
        self.edited.emit(self.toPlainText())

    def _wanted_height(self) -> int:
        is_folded = self._is_folding and not self.hasFocus()
        lines = max(math.ceil(self.document().size().height()), 1)  # a plain text's height is in lines
        shown = 1 if is_folded else min(lines, self._most_lines)
        return shown * self.fontMetrics().lineSpacing() + 4

    def _fit(self) -> None:
        height = self._wanted_height()
        if self.height() != height:
            self.setFixedHeight(height)
        is_cut = self.document().size().height() > self._most_lines and not (
            self._is_folding and not self.hasFocus()
        )
        policy = Qt.ScrollBarPolicy
        self.setVerticalScrollBarPolicy(policy.ScrollBarAsNeeded if is_cut else policy.ScrollBarAlwaysOff)
