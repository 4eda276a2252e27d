"""The bar that shows what a clip needs of the memory that is free."""

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from ui.state.memory import MemoryState
from ui.theme import font, theme, watcher

_WIDTH, _HEIGHT, _GAP = 56, 4, 8


class MemoryBar(QWidget):
    """A thin bar with numbers beside it; not there before the first plan. Yellow where it may not fit."""

    def __init__(self, memory: MemoryState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._memory = memory
        self.setFont(font(12))
        memory.changed.connect(self._refresh)
        watcher().changed.connect(self.update)
        self._refresh()

    def sizeHint(self) -> QSize:
        words = self.fontMetrics().horizontalAdvance(self._memory.short)
        return QSize(_WIDTH + _GAP + words + 2, 24)

    def minimumSizeHint(self) -> QSize:
        return QSize(_WIDTH, 24)  # where there is little room the numbers go first

    def paintEvent(self, event: QPaintEvent) -> None:
        plan = self._memory.plan
        if plan is None:
            return
        colours, top = theme(), (self.height() - _HEIGHT) / 2
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        filled = QColor(colours.good if plan.fits else colours.look)
        for width, colour in ((_WIDTH, QColor(colours.line)), (_WIDTH * self._memory.share, filled)):
            painter.setBrush(colour)
            painter.setPen(colour)
            painter.drawRoundedRect(QRectF(0.5, top, max(1.0, width - 1), _HEIGHT), 2, 2)
        words = self.rect().adjusted(_WIDTH + _GAP, 0, 0, 0)
        if words.width() >= self.fontMetrics().horizontalAdvance(self._memory.short):
            painter.setPen(QColor(colours.secondary))
            painter.drawText(words, 0x81, self._memory.short)
        painter.end()

    def _refresh(self) -> None:
        self.setVisible(self._memory.plan is not None)
        self.setToolTip(f"Memory of the device\n{self._memory.words}")
        self.setAccessibleName(f"Memory: {self._memory.short}")
        self.updateGeometry()
        self.update()
