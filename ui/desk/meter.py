"""The thin meter under a fader: what the adapter adds, beside what the model's own weights answer."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from ui.deflection import DARK, deflection
from ui.state.hearing import Reading
from ui.theme import theme

HEIGHT = 3.0
_HELD = 0.45


def percent(ratio: float) -> str:
    """A ratio in words: 15 %, 0.4 %, under 0.1 %."""
    if ratio <= DARK:
        return "under 0.1 %"
    return f"{100 * ratio:.0f} %" if ratio >= 0.0095 else f"{100 * ratio:.1f} %"


def words(reading: Reading | None) -> str:
    """What the meter says; nothing before the first reading."""
    if reading is None:
        return ""
    if not reading.strength:
        return "Meter: silent in the last step"
    when = "adds" if reading.is_live else "added in its last step"
    return f"Meter: {when} {percent(reading.ratio)} of what the model's own weights answer"


def paint_meter(painter: QPainter, rect: QRectF, reading: Reading, colour: QColor) -> None:
    """The meter in `rect`; what is held is dimmer, and what adds more than the model says is in yellow."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme().line))
    painter.drawRoundedRect(rect, HEIGHT / 2, HEIGHT / 2)
    lit = deflection(reading.ratio)
    if not lit:
        return
    shown = QColor(theme().look) if reading.ratio > 1 else QColor(colour)
    if not reading.is_live:
        shown.setAlphaF(_HELD)
    painter.setBrush(shown)
    width = max(HEIGHT, lit * rect.width())
    painter.drawRoundedRect(QRectF(rect.left(), rect.top(), width, rect.height()), HEIGHT / 2, HEIGHT / 2)
