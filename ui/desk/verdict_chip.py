"""What an audition found of a strip, in a word; a press listens again."""

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QToolButton, QWidget

from engine.verdict import Verdict
from ui.restyle import restyle
from ui.theme import font
from ui.verdict_words import TONES

_SHORT = "no effect"


class VerdictChip(QToolButton):
    """“clear”, “weak” or “no effect”; hidden until there is a verdict."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFont(font(11))
        self.setAccessibleName("Audition")
        self.setToolTip("Compare again (Space)")
        self.hide()

    def sizeHint(self) -> QSize:
        # a tool button asks for room for an icon that is not there
        return QSize(self.fontMetrics().horizontalAdvance(self.text()) + 10, 18)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def show_verdict(self, name: str, verdict: Verdict | None) -> None:
        """Show what was found of the strip called `name`, or nothing."""
        self.setVisible(verdict is not None)
        if verdict is None:
            return
        word = verdict.word
        self.setText(_SHORT if word == "no measurable effect" else word)
        self.setAccessibleName(f"Audition of {name}: {word}")
        self.setAccessibleDescription(verdict.sentence)
        said = f"{word[0].upper()}{word[1:]}. {verdict.sentence}"
        self.setToolTip(f"{said}\n{verdict.explanation}\nPress to compare again (Space)")
        restyle(self, "badge", TONES[word])
