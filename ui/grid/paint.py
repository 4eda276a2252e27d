"""Paints a grid's labels and clips, in the window as in the exported video."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter

from engine.grid import Grid
from engine.grid_axis import Axis, StrengthAxis
from ui.eliding import elided
from ui.grid.sheet import Sheet
from ui.stage.image import image_of
from ui.state.grid_cell import CellState
from ui.theme import Theme

Moment = tuple[int, int]
"""A frame, and of how many: where a playback is."""
SPACE = 3.0
"""Between labels and what marks the chosen clip."""
WIDEST = 160.0
"""Of the labels beside the rows."""
_RADIUS = 4.0


@dataclass(frozen=True, slots=True)
class Look:
    """Colours and fonts, taken on the window's thread."""

    theme: Theme
    plain: QFont
    bold: QFont

    def scaled(self, unit: float) -> "Look":
        """The same with letters that many times as large."""
        plain, bold = QFont(self.plain), QFont(self.bold)
        for each in (plain, bold):
            each.setPixelSize(round(each.pixelSize() * unit))
        return Look(self.theme, plain, bold)


def width_beside(grid: Grid, look: Look) -> float:
    """How wide the rows' labels are; 0 where there are no rows."""
    if not grid.row_labels:
        return 0.0
    title = QFontMetricsF(look.bold).horizontalAdvance(grid.rows_title)
    values = (QFontMetricsF(look.plain).horizontalAdvance(label) for label in grid.row_labels)
    return min(float(int(max(title, *values)) + 4), WIDEST)


def paint_labels(painter: QPainter, sheet: Sheet, grid: Grid, look: Look, edge: QPointF) -> None:
    """Say what the axes are, and every value, at the `edge` of what is seen of the sheet, also scrolled."""
    middle, start = Qt.AlignmentFlag.AlignCenter, Qt.AlignmentFlag.AlignVCenter
    size, ground = sheet.size, QColor(look.theme.background)
    across, down = QPointF(0, edge.y()), QPointF(edge.x(), 0)
    head = QRectF(0, 0, sheet.x + size.width(), sheet.top - SPACE)
    painter.fillRect(head.translated(across), ground)
    for column, label in enumerate(grid.columns.labels):
        area = sheet.column_label(column).translated(across)
        _write(painter, area, label, look.plain, look.theme.text, middle)
    if grid.row_labels:
        painter.fillRect(QRectF(0, 0, sheet.left - SPACE, sheet.y + size.height()).translated(down), ground)
        for row, label in enumerate(grid.row_labels):
            area = sheet.row_label(row).translated(down)
            _write(painter, area, label, look.plain, look.theme.text, start)
        painter.fillRect(QRectF(0, 0, sheet.left - SPACE, sheet.top - SPACE).translated(edge), ground)
        area = sheet.rows_title.translated(edge)
        _write(painter, area, grid.rows_title, look.bold, _colour(grid.rows, look), start)
    area = sheet.columns_title.translated(edge)
    _write(painter, area, grid.columns.title, look.bold, _colour(grid.columns, look), start)


def paint_cell(painter: QPainter, area: QRectF, state: CellState, moment: Moment, look: Look) -> None:
    """Show what there is of a cell at a moment of its clip."""
    image = _picture(state, moment)
    if image is not None:
        painter.drawImage(area, image)
    else:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(look.theme.raised if state.status == "rendering" else look.theme.panel))
        painter.drawRoundedRect(area, _RADIUS, _RADIUS)
    if state.status == "failed":
        _paint_sentence(painter, area, f"! {state.problem}", look)
    elif state.status == "rendering":
        _paint_progress(painter, area, state, look)
    elif state.problem:
        _paint_mark(painter, area, look)


def _picture(state: CellState, moment: Moment) -> QImage | None:
    if state.small is not None:
        return _wrapped(state.small[_frame(moment, len(state.small))])
    if state.preview is not None:
        return image_of(state.preview[_frame(moment, len(state.preview))])
    return None


def _wrapped(frame: NDArray[np.uint8]) -> QImage:
    """A frame [height, width, 4] as an image that borrows its memory."""
    height, width, _ = frame.shape
    return QImage(frame.data, width, height, frame.strides[0], QImage.Format.Format_RGB32)


def _frame(moment: Moment, count: int) -> int:
    frame, frames = moment
    return min(frame * count // frames, count - 1)


def _paint_progress(painter: QPainter, area: QRectF, state: CellState, look: Look) -> None:
    """A line along the lower edge."""
    if state.steps:
        line = QRectF(area.x(), area.bottom() - 3, area.width(), 3)
        painter.fillRect(line, QColor(look.theme.line))
        line.setWidth(area.width() * state.step / state.steps)
        painter.fillRect(line, QColor(look.theme.accent))


def _paint_sentence(painter: QPainter, area: QRectF, text: str, look: Look) -> None:
    painter.setFont(look.plain)
    painter.setPen(QColor(look.theme.refused))
    flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
    painter.save()
    painter.setClipRect(area)
    painter.drawText(area.adjusted(8, 4, -8, -4), int(flags), text)
    painter.restore()


def _paint_mark(painter: QPainter, area: QRectF, look: Look) -> None:
    """The clip is there, but something should be said about it."""
    plate = QRectF(area.right() - 24, area.y() + 6, 18, 18)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(look.theme.look))
    painter.drawRoundedRect(plate, _RADIUS, _RADIUS)
    painter.setPen(QColor(look.theme.on_accent))
    painter.setFont(look.bold)
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, "!")


def _write(
    painter: QPainter, area: QRectF, text: str, font: QFont, colour: str, align: Qt.AlignmentFlag
) -> None:
    shown = elided(text, font, area.width())
    painter.setFont(font)
    painter.setPen(QColor(colour))
    painter.drawText(area, align, shown)


def _colour(axis: Axis | None, look: Look) -> str:
    """An expert's colour where an axis is one expert's."""
    if isinstance(axis, StrengthAxis) and axis.part != "both":
        return look.theme.high if axis.part == "high" else look.theme.low
    return look.theme.text
