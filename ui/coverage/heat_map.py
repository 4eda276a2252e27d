"""How large a file's change of every layer is: blocks across, kinds of layer down, brighter for more."""

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from engine.gauge import Cell, Gauge
from ui.coverage.gauge_words import cell_words, natural, size_words
from ui.deflection import deflection
from ui.theme import font, theme, watcher

ROW, HEAD, GAP, MOST_LABEL = 14, 16, 2, 150
_WIDEST = 20
_DIMMEST = 0.06


@dataclass(frozen=True, slots=True)
class _Axes:
    """What the columns and rows stand for."""

    blocks: tuple[str, ...]
    layers: tuple[str, ...]


class HeatMap(QWidget):
    """Made for one gauge; a tool tip tells each cell. The sentence above says the gist, so it takes no focus."""

    def __init__(self, gauge: Gauge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        blocks = sorted({cell.block for cell in gauge.cells}, key=natural)
        layers = sorted({cell.layer for cell in gauge.cells}, key=natural)
        self._axes = _Axes(tuple(blocks), tuple(layers))
        self._cells = {(cell.block, cell.layer): cell for cell in gauge.cells}
        self.setFixedHeight(HEAD + len(layers) * ROW)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Size of the change, by block and kind of layer")
        self.setAccessibleDescription(size_words(gauge))
        watcher().changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(MOST_LABEL + len(self._axes.blocks) * _WIDEST, self.height())

    def cell_at(self, x: float, y: float) -> Cell | None:
        """The cell under a place."""
        for (block, layer), cell in self._cells.items():
            if self.place_of(block, layer).contains(x, y):
                return cell
        return None

    def place_of(self, block: str, layer: str) -> QRectF:
        """Where a cell is."""
        column, row = self._axes.blocks.index(block), self._axes.layers.index(layer)
        width = self._column_width()
        gap = GAP if width >= 8 else 1
        return QRectF(self._label_width() + column * width, HEAD + row * ROW, width - gap, ROW - GAP)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font(11, is_tabular=True))
        painter.setPen(QColor(theme().secondary))
        self._paint_names(painter)
        painter.setPen(Qt.PenStyle.NoPen)
        for block, layer in ((b, n) for b in self._axes.blocks for n in self._axes.layers):
            cell = self._cells.get((block, layer))
            painter.setBrush(_colour(cell))
            painter.drawRoundedRect(self.place_of(block, layer), 2, 2)
        painter.end()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            cell = self.cell_at(event.pos().x(), event.pos().y())
            if cell is None:
                QToolTip.hideText()
            else:
                place = self.place_of(cell.block, cell.layer).toRect()
                QToolTip.showText(event.globalPos(), cell_words(cell), self, place)
            return True
        return super().event(event)

    def _paint_names(self, painter: QPainter) -> None:
        metrics, width = painter.fontMetrics(), self._label_width() - 8
        for row, layer in enumerate(self._axes.layers):
            where = QRectF(0, HEAD + row * ROW - 1, width, ROW)
            name = metrics.elidedText(layer, Qt.TextElideMode.ElideRight, int(width))
            painter.drawText(where, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), name)
        step = 1 if self._column_width() >= 18 else 5
        for block in self._axes.blocks:
            number = block.rpartition(".")[2]
            if number.isdigit() and int(number) % step == 0:
                place = self.place_of(block, self._axes.layers[0])
                middle = QRectF(place.center().x() - 15, 0, 30, HEAD - 3)
                painter.drawText(middle, int(Qt.AlignmentFlag.AlignCenter), number)

    def _label_width(self) -> int:
        metrics = QFontMetrics(font(11))
        return min(MOST_LABEL, 12 + max((metrics.horizontalAdvance(n) for n in self._axes.layers), default=0))

    def _column_width(self) -> float:
        room = self.width() - self._label_width()
        return max(2.0, min(_WIDEST, room / max(1, len(self._axes.blocks))))


def _colour(cell: Cell | None) -> QColor:
    """Nothing is there: the ground's line. Else the accent, as strong as the meter's scale has it."""
    if cell is None:
        faint = QColor(theme().line)
        faint.setAlphaF(0.35)
        return faint
    colour = QColor(theme().accent)
    colour.setAlphaF(_DIMMEST + (1 - _DIMMEST) * deflection(cell.size) ** 2)
    return colour
