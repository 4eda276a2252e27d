"""A cell per block of the model, filled as far as the file's layers in it apply."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRect, QRectF, QSize
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPainterPath, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from catalog.coverage import Share
from ui.theme import font, theme, watcher

WIDTH, HEIGHT, GAP = 24, 20, 4


class BlockGrid(QWidget):
    """As many rows as its width asks for. The words beside it say the same, so it takes no focus."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._blocks: tuple[Share, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Blocks")
        watcher().changed.connect(self.update)

    def show_blocks(self, shares: Sequence[Share], words: str) -> None:
        """Show the shares of blocks; `words` say it to those who do not see it."""
        self._blocks = tuple(share for share in shares if share.name != "other")
        self.setAccessibleDescription(words)
        self._fit()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(18 * (WIDTH + GAP) - GAP, self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _columns(self) -> int:
        return max(1, (self.width() + GAP) // (WIDTH + GAP))

    def _fit(self) -> None:
        rows = -(-len(self._blocks) // self._columns())
        self.setFixedHeight(max(0, rows * (HEIGHT + GAP) - GAP))

    def _cell(self, index: int) -> QRect:
        row, column = divmod(index, self._columns())
        return QRect(column * (WIDTH + GAP), row * (HEIGHT + GAP), WIDTH, HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font(11, is_tabular=True))
        for index, share in enumerate(self._blocks):
            _paint_cell(painter, QRectF(self._cell(index)), share)
        painter.end()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            cells = ((self._cell(index), share) for index, share in enumerate(self._blocks))
            under = next((found for found in cells if found[0].contains(event.pos())), None)
            if under:
                QToolTip.showText(event.globalPos(), block_tip(under[1]), self, under[0])
            return True
        return super().event(event)


def block_tip(share: Share) -> str:
    """A cell in words."""
    stem, _, number = share.name.rpartition(".")
    kind = "VACE block" if stem.startswith("vace") else "Block"
    return f"{kind} {number}: {share.applied} of {share.of} layers apply"


def _paint_cell(painter: QPainter, rect: QRectF, share: Share) -> None:
    is_whole, is_nothing = share.applied == share.of, not share.applied
    colour = QColor(theme().good if is_whole else theme().look)
    cell = QPainterPath()
    cell.addRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
    fill = QColor(colour)
    fill.setAlphaF(0.3)
    filled = QRectF(rect)
    filled.setTop(rect.bottom() - rect.height() * share.applied / max(1, share.of))
    painter.save()
    painter.setClipRect(filled)
    painter.fillPath(cell, fill)
    painter.restore()
    painter.setPen(QPen(QColor(theme().line) if is_nothing else colour, 1))
    painter.drawPath(cell)
    painter.setPen(QColor(theme().secondary if is_nothing else theme().text))
    mark = "V" if share.name.startswith("vace") else ""
    painter.drawText(rect, 0x84, f"{mark}{share.name.rpartition('.')[2]}")
