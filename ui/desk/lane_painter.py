"""How a lane looks: the steps, the boundary, both curves with their points, and what was played."""

from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from catalog.curve import Curve
from catalog.models import Expert
from ui.desk.lane_ruler import Ruler
from ui.state.automation import Played
from ui.theme import font, theme

LABELS = 18
"""Height of the line of text under the plot."""
GUTTER = 16
"""Width of the strengths left of the plot."""
RADIUS = 4.0


@dataclass(slots=True)
class LaneLook:
    """All that a lane shows. `curves` end at their expert's part of the axis; `faders` play where none is,
    and where the hand has taken over. In a replay neither plays, but what was played.
    """

    ruler: Ruler
    experts: tuple[Expert, ...]
    curves: dict[Expert, Curve] = field(default_factory=dict)
    faders: dict[Expert, float] = field(default_factory=dict)
    by_hand: frozenset[Expert] = frozenset()
    is_replay: bool = False
    played: tuple[Played, ...] = ()
    playhead: float | None = None
    selected: tuple[Expert, int] | None = None
    readout: str = ""
    is_silent: bool = False
    has_focus: bool = False


def paint(painter: QPainter, look: LaneLook) -> None:
    """Draw a lane; its plot is the ruler's area."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _ground(painter, look)
    _strengths(painter, look.ruler)
    painter.save()
    clip = QPainterPath()
    clip.addRoundedRect(look.ruler.area, 4, 4)
    painter.setClipPath(clip)
    _boundary(painter, look)
    _played(painter, look)
    for expert in look.experts:
        _fader(painter, look, expert)
        _curve(painter, look, expert)
    _playhead(painter, look)
    painter.restore()
    for expert in look.experts:
        _points(painter, look, expert)
    _labels(painter, look)
    if look.has_focus:
        painter.setPen(QPen(QColor(theme().accent), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(look.ruler.area.adjusted(-0.75, -0.75, 0.75, 0.75), 4, 4)


def _ground(painter: QPainter, look: LaneLook) -> None:
    area = look.ruler.area
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme().panel if theme().is_dark else theme().background))
    painter.drawRoundedRect(area, 4, 4)
    for step in range(look.ruler.axis.steps):
        x = round(area.left() + (step + 0.5) * look.ruler.cell) - 0.5
        painter.fillRect(QRectF(x, area.bottom() - 4, 1, 4), QColor(theme().faint))


def _strengths(painter: QPainter, ruler: Ruler) -> None:
    """The lines of strength 0 and 1, with their numbers beside the plot."""
    painter.setFont(font(11, is_tabular=True))
    for strength, colour in ((0, theme().faint), (1, theme().line)):
        y = round(ruler.y_of(strength))
        painter.fillRect(QRectF(ruler.area.left(), y - 0.5, ruler.area.width(), 1), QColor(colour))
        painter.setPen(QColor(theme().secondary))
        where = QRectF(0, y - 8, ruler.area.left() - 5, 16)
        painter.drawText(
            where, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight), str(strength)
        )


def _boundary(painter: QPainter, look: LaneLook) -> None:
    boundary, area = look.ruler.axis.boundary, look.ruler.area
    if boundary is None:
        return
    x = round(look.ruler.x_of(boundary)) + 0.5
    pen = QPen(QColor(theme().secondary), 1, Qt.PenStyle.CustomDashLine)
    pen.setDashPattern([3, 2])
    painter.setPen(pen)
    painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
    painter.setFont(font(11, is_bold=True))
    width = painter.fontMetrics().horizontalAdvance("HIGH") + 1
    for expert, left, room in (("high", x - width - 6, x - area.left()), ("low", x + 6, area.right() - x)):
        if room > width + 8:
            painter.setPen(_colour(look, expert))  # type: ignore[arg-type]
            painter.drawText(QRectF(left, area.top() + 2, width, 16), 0, expert.upper())


def _played(painter: QPainter, look: LaneLook) -> None:
    """A dash at every step for the strength that the last run applied there."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme().good))
    width = max(min(look.ruler.cell * 0.6, 10.0), 2.0)
    for step in look.played:
        x, y = look.ruler.x_of(step.sigma), look.ruler.y_of(step.strength)
        painter.drawRoundedRect(QRectF(x - width / 2, y - 1, width, 2), 1, 1)


def _fader(painter: QPainter, look: LaneLook, expert: Expert) -> None:
    """Where an expert has no curve, or its fader took over from it: the line that the fader makes."""
    if look.is_replay or (expert in look.curves and expert not in look.by_hand):
        return
    start, end = _ends(look, expert)
    y = round(look.ruler.y_of(look.faders[expert])) + 0.5
    colour = _colour(look, expert)
    colour.setAlphaF(1.0 if expert in look.by_hand else 0.5)
    painter.setPen(QPen(colour, 1.5))
    painter.drawLine(QPointF(start, y), QPointF(end, y))


def _curve(painter: QPainter, look: LaneLook, expert: Expert) -> None:
    curve = look.curves.get(expert)
    if curve is None:
        return
    line = QPainterPath()
    first, *rest = look.ruler.outline(curve, *look.ruler.axis.zone(expert))
    line.moveTo(first)
    for place in rest:
        line.lineTo(place)
    colour = _colour(look, expert)
    is_waiting = look.is_replay or expert in look.by_hand
    colour.setAlphaF(0.5 if is_waiting else 1.0)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(
        QPen(colour, 1.5 if is_waiting else 2, Qt.PenStyle.DotLine if is_waiting else Qt.PenStyle.SolidLine)
    )
    painter.drawPath(line)


def _points(painter: QPainter, look: LaneLook, expert: Expert) -> None:
    """Round where a line leads on, square where the strength is held."""
    curve = look.curves.get(expert)
    for index, point in enumerate(curve.points if curve else ()):
        place, colour = look.ruler.place(point), _colour(look, expert)
        is_selected = look.has_focus and look.selected == (expert, index)
        painter.setPen(QPen(QColor(theme().raised), 1.5))
        is_waiting = look.is_replay or expert in look.by_hand
        painter.setBrush(QColor(theme().secondary) if is_waiting else colour)
        _dot(painter, place, RADIUS, point.is_held)
        if is_selected:
            painter.setPen(QPen(QColor(theme().accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            _dot(painter, place, RADIUS + 2.5, point.is_held)


def _dot(painter: QPainter, place: QPointF, radius: float, is_square: bool) -> None:
    if is_square:
        painter.drawRoundedRect(QRectF(place.x() - radius, place.y() - radius, 2 * radius, 2 * radius), 1, 1)
    else:
        painter.drawEllipse(place, radius, radius)


def _playhead(painter: QPainter, look: LaneLook) -> None:
    if look.playhead is not None:
        x = look.ruler.x_of(look.playhead)
        painter.setPen(QPen(QColor(theme().text), 1.5))
        painter.drawLine(QPointF(x, look.ruler.area.top()), QPointF(x, look.ruler.area.bottom()))


def _labels(painter: QPainter, look: LaneLook) -> None:
    """The sigmas at the ends and at the boundary, or what there is to say of the selected point."""
    area, axis = look.ruler.area, look.ruler.axis
    line = QRectF(area.left(), area.bottom() + 2, area.width() - LABELS - 4, LABELS - 2)
    painter.setFont(font(11, is_tabular=True))
    painter.setPen(QColor(theme().secondary))
    flags = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
    if look.readout and look.has_focus:
        painter.setPen(QColor(theme().text))
        painter.drawText(line, flags, look.readout)
        return
    first, last = f"σ {axis.sigmas[0]:.2f}", f"{axis.sigmas[-1]:.2f}"
    painter.drawText(line, flags, first)
    painter.drawText(line, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight), last)
    if axis.boundary is not None:
        metrics, text = painter.fontMetrics(), f"{axis.boundary:.3f}"
        width = metrics.horizontalAdvance(text) + 1
        wanted = look.ruler.x_of(axis.boundary) - width / 2
        least = line.left() + metrics.horizontalAdvance(first) + 8
        most = line.right() - metrics.horizontalAdvance(last) - 8 - width
        x = max(min(wanted, most), least)
        if x <= most and abs(x - wanted) <= width:
            painter.drawText(QRectF(x, line.top(), width, line.height()), flags, text)


def _ends(look: LaneLook, expert: Expert) -> tuple[float, float]:
    least, most = look.ruler.axis.zone(expert)
    return look.ruler.x_of(most), look.ruler.x_of(least)


def _colour(look: LaneLook, expert: Expert) -> QColor:
    if look.is_silent:
        return QColor(theme().faint)
    return QColor(theme().high if expert == "high" else theme().low)
