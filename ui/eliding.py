"""Texts shortened to a width."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontMetricsF


def elided(
    text: str, font: QFont, width: float, mode: Qt.TextElideMode = Qt.TextElideMode.ElideMiddle
) -> str:
    """The text, shortened until it really fits: Qt's own answer is too wide where a dot meets its ellipsis."""
    metrics = QFontMetricsF(font)
    room, shown = width, metrics.elidedText(text, mode, width)
    while room > 0 and metrics.horizontalAdvance(shown) > width:
        room -= 2
        shown = metrics.elidedText(text, mode, room)
    return shown
