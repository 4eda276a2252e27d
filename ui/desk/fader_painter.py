"""How a fader looks: label, groove, bar, handle, number, and what the last step applied."""

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from catalog.models import Expert
from ui.desk.meter import HEIGHT, paint_meter
from ui.state.hearing import Reading
from ui.theme import font, theme

VALUE, END = 48, 5
"""Room for the number, and after it: it ends where the words of the strip's head do."""
LEVEL = 11.0
"""Height of the groove's middle; the applied strength runs 7 px under it, the meter 4 px under that."""


@dataclass(slots=True)
class FaderLook:
    """All that a fader shows."""

    label: str
    expert: Expert
    strength: float = 0.0
    applied: float | None = None
    is_heard: bool = True
    is_silent: bool = False
    is_automated: bool = False
    has_focus: bool = False
    reading: Reading | None = None

    @property
    def label_width(self) -> int:
        """Room for the label; all strips of a model have the same labels, so their grooves align."""
        return 44 if len(self.label) <= 4 else 80


def paint(painter: QPainter, rect: QRect, look: FaderLook) -> None:
    """Draw a fader that fills `rect`."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colours = theme()
    colour = QColor(colours.high if look.expert == "high" else colours.low)
    if look.is_silent:
        colour = QColor(colours.faint)
    track = groove(rect, look)
    _label(painter, look, colour)
    _groove(painter, track, look, colour)
    _applied(painter, track, look)
    if look.reading is not None:
        paint_meter(painter, QRectF(track.left(), LEVEL + 13, track.width(), HEIGHT), look.reading, colour)
    _handle(painter, track, look, colour)
    _number(painter, rect, look)


def groove(rect: QRect, look: FaderLook) -> QRectF:
    """Where the handle may go; half a handle is kept free at each end."""
    left = look.label_width + 5
    return QRectF(left, 0, max(1, rect.width() - left - VALUE - END - 10), rect.height())


def number(strength: float) -> str:
    """A strength as it is written: +0.80, −1.25, off."""
    if strength == 0:
        return "off"
    digits = 2 if round(strength, 2) == round(strength, 4) else 3
    return f"{strength:+.{digits}f}".replace("-", "−")


def _x(track: QRectF, strength: float) -> float:
    return track.left() + (max(-2.0, min(2.0, strength)) + 2) / 4 * track.width()


def _label(painter: QPainter, look: FaderLook, colour: QColor) -> None:
    painter.setFont(font(11, is_bold=True))
    painter.setPen(QColor(theme().secondary) if look.is_silent else colour)
    where = QRectF(0, 0, look.label_width, LEVEL * 2)
    painter.drawText(where, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), look.label)
    if look.is_automated:
        _wave(painter, painter.fontMetrics().horizontalAdvance(look.label) + 4.0)


def _wave(painter: QPainter, left: float) -> None:
    """The sign of a curve, in the colour that is set."""
    painter.setPen(QPen(painter.pen().color(), 1.5))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    wave = QPainterPath(QPointF(left, LEVEL + 3))
    wave.cubicTo(left + 4, LEVEL + 3, left + 4, LEVEL - 3, left + 8, LEVEL - 3)
    painter.drawPath(wave)


def _groove(painter: QPainter, track: QRectF, look: FaderLook, colour: QColor) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme().line))
    painter.drawRoundedRect(QRectF(track.left(), LEVEL - 2, track.width(), 4), 2, 2)
    for tick in (-1.0, 0.0, 1.0):
        painter.fillRect(QRectF(round(_x(track, tick)) - 0.5, LEVEL + 4, 1, 4), QColor(theme().faint))
    painter.setBrush(colour)
    left, right = sorted((_x(track, 0), _x(track, look.strength)))
    painter.drawRoundedRect(QRectF(left, LEVEL - 2, right - left, 4), 2, 2)


def _applied(painter: QPainter, track: QRectF, look: FaderLook) -> None:
    if look.applied is None:
        return
    left, right = sorted((_x(track, 0), _x(track, look.applied)))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme().good))
    painter.drawRoundedRect(QRectF(left - 1, LEVEL + 9, right - left + 2, 2), 1, 1)


def _handle(painter: QPainter, track: QRectF, look: FaderLook, colour: QColor) -> None:
    colours, x = theme(), _x(track, look.strength)
    body = QRectF(x - 5, LEVEL - 8, 10, 16)
    if look.has_focus:
        painter.setPen(QPen(QColor(colours.accent), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(body.adjusted(-2.5, -2.5, 2.5, 2.5), 5, 5)
    fill = QColor(colours.text if look.is_heard else colours.raised)
    painter.setPen(QPen(QColor(colours.text), 1.5))
    painter.setBrush(fill)
    painter.drawRoundedRect(body.adjusted(0.75, 0.75, -0.75, -0.75), 3, 3)
    if look.is_heard:
        painter.fillRect(QRectF(x - 0.5, LEVEL - 4, 1, 8), QColor(colours.raised))
    else:
        painter.setPen(QPen(colour, 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(QPointF(x, LEVEL), 2.0, 2.0)
    if abs(look.strength) > 2:  # beyond what the groove shows
        painter.setPen(QPen(fill if not look.is_heard else QColor(colours.raised), 1.5))
        tip = 1.5 if look.strength > 0 else -1.5
        painter.drawLine(QPointF(x - tip, LEVEL - 3), QPointF(x + tip, LEVEL))
        painter.drawLine(QPointF(x + tip, LEVEL), QPointF(x - tip, LEVEL + 3))


def _number(painter: QPainter, rect: QRect, look: FaderLook) -> None:
    is_quiet = look.strength == 0 or look.is_silent
    painter.setFont(font(13, is_tabular=True))
    painter.setPen(QColor(theme().secondary if is_quiet else theme().text))
    where = QRectF(rect.width() - VALUE - END, 0, VALUE, LEVEL * 2)
    text = number(round(look.strength, 2) if look.is_automated else look.strength)
    painter.drawText(where, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight), text)
