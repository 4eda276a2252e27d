"""How much of a strip's file applies, in a word; a press opens the full list."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QToolButton, QWidget

from catalog.coverage_words import sentence, shortest, tally
from ui.restyle import restyle
from ui.state.strip import Attachment
from ui.theme import font

ROOM = 5
"""Pixels on each side of the words, for the frame that is there under the mouse."""
_PRESS = "Press for the full list (Space or Enter)"


class CoverageBadge(QToolButton):
    """“60/60”, or “48/60 !” where one should look; disabled while the file is on its way."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFont(font(11, is_tabular=True))

    def sizeHint(self) -> QSize:
        # a tool button asks for room for an icon that is not there
        return QSize(self.fontMetrics().horizontalAdvance(self.text()) + 2 * ROOM, 18)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def show_attachment(self, name: str, attachment: Attachment, waiting: str) -> None:
        """Show what became of the file of the strip called `name`; `waiting` says why nothing did yet."""
        self.setEnabled(attachment.status != "attaching")
        self.setAccessibleName(f"Coverage of {name}")
        if attachment.coverage is not None:
            count = tally(attachment.coverage)
            self._say(shortest(count), sentence(count), count.tone)
        elif attachment.status == "refused":
            self._say("refused", attachment.reason, "refused")
        else:
            self._say(waiting, "", "waiting")

    def _say(self, words: str, explanation: str, tone: str) -> None:
        self.setText(words)
        self.setToolTip(f"{explanation}\n{_PRESS}" if explanation else "")
        self.setAccessibleDescription(explanation or words)
        restyle(self, "badge", tone)
