"""A quiet label painted over the picture."""

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

HEIGHT = 24.0
_PADDING = 10.0
_INSET = 12.0


@dataclass(frozen=True, slots=True)
class Part:
    """Some words of a pill in one colour; `ground` puts a small plate behind them."""

    text: str
    colour: str
    ground: str = ""


def width_of(parts: tuple[Part, ...], font: QFont) -> float:
    """How wide a pill with these parts is."""
    if not parts:
        return 0.0
    metrics = QFontMetricsF(font)
    return 2 * _PADDING + sum(metrics.horizontalAdvance(part.text) + _plate(part) for part in parts)


def corners(room: QRectF, picture: QRectF, left: float, right: float) -> tuple[QPointF, QPointF]:
    """Where two pills of these widths go: over the picture's upper corners, beside a narrow picture,
    and one under the other where there is no other way.
    """
    both = left + right + 3 * _INSET
    band = picture.left() - room.left()
    area = picture
    if both > picture.width() and (
        band >= max(left, right) + 2 * _INSET or max(left, right) + 2 * _INSET > picture.width()
    ):
        area = room
    top = picture.top() + _INSET
    first = QPointF(area.left() + _INSET, top)
    if left and right and both > area.width():
        return first, first + QPointF(0, HEIGHT + 4)
    return first, QPointF(area.right() - _INSET - right, top)


def paint(painter: QPainter, corner: QPointF, parts: tuple[Part, ...], font: QFont, ground: str) -> None:
    """Paint a pill whose top left is at `corner`."""
    if not parts:
        return
    shade = QColor(ground)
    shade.setAlphaF(0.85)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(shade)
    painter.drawRoundedRect(QRectF(corner.x(), corner.y(), width_of(parts, font), HEIGHT), 8, 8)
    painter.setFont(font)
    x = corner.x() + _PADDING
    for part in parts:
        width = QFontMetricsF(font).horizontalAdvance(part.text) + _plate(part)
        area = QRectF(x, corner.y(), width, HEIGHT)
        if part.ground:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(part.ground))
            painter.drawRoundedRect(area.adjusted(0, 4, 0, -4), 4, 4)
        painter.setPen(QColor(part.colour))
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, part.text)
        x += width


def _plate(part: Part) -> float:
    return 10.0 if part.ground else 0.0
