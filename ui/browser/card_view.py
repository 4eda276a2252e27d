"""The grid of cards."""

from pathlib import Path

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from ui.browser.card_delegate import GAP, TEXT_HEIGHT, CardDelegate, picture_height
from ui.browser.cards import ENTRY_ROLE, TALLY_ROLE
from ui.theme import font, theme, watcher

NARROWEST = 124


class CardView(QListView):
    """Cards in as many columns as fit, two at least. `chosen` says that the current one is wanted on the
    desk, `asked` that one wants to know what of it applies. `lacking` carries the paths of the cards in view whose
    coverage is not known yet.
    """

    chosen = Signal()
    asked = Signal()
    lacking = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._empty_text = ""
        self._lacking: tuple[Path, ...] = ()
        self.setItemDelegate(CardDelegate(self))
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setDefaultDropAction(Qt.DropAction.CopyAction)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName("LoRA files")
        self.setToolTip("Enter, double-click or drag puts a LoRA on the desk")
        self.doubleClicked.connect(lambda _index: self.chosen.emit())
        watcher().changed.connect(self.viewport().update)

    def show_empty(self, text: str) -> None:
        """What to say while there is no card to show."""
        self._empty_text = text
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self.chosen.emit()
            return
        if event.key() == Qt.Key.Key_Space and not event.modifiers() and self.currentIndex().isValid():
            self.asked.emit()
            return
        super().keyPressEvent(event)
        has_moved = event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_Left, Qt.Key.Key_Right)
        if has_moved and not self.currentIndex().isValid() and self.model().rowCount():
            flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
            self.selectionModel().setCurrentIndex(self.model().index(0, 0), flag)

    def resizeEvent(self, event: QResizeEvent) -> None:
        # room for the scroll bar, there or not, so that the columns do not change when it comes
        width = self.width() - self.verticalScrollBar().sizeHint().width()
        columns = max(2, width // (NARROWEST + GAP))
        cell = (width - 1) // columns  # one pixel less, or the last column wraps
        self.setGridSize(QSize(cell, round(picture_height(cell - GAP)) + TEXT_HEIGHT + GAP))
        super().resizeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self._tell_lacking()
        if self._empty_text and self.model() is not None and not self.model().rowCount():
            painter = QPainter(self.viewport())
            painter.setFont(font(13))
            painter.setPen(QColor(theme().secondary))
            rect = self.viewport().rect().adjusted(16, 16, -16, -16)
            flags = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
            painter.drawText(rect, flags, self._empty_text)

    def _tell_lacking(self) -> None:
        shown = [index for index in self._in_view() if index.data(TALLY_ROLE) is None]
        paths = tuple(e.path for e in (index.data(ENTRY_ROLE) for index in shown) if not e.problem)
        if paths != self._lacking:
            self._lacking = paths
            if paths:
                self.lacking.emit(paths)

    def _in_view(self) -> list[QModelIndex]:
        if self.model() is None or not self.model().rowCount():
            return []
        cell = self.gridSize()
        columns = max(1, self.viewport().width() // max(1, cell.width()))
        top = self.verticalOffset() // max(1, cell.height()) * columns
        rows = (self.viewport().height() // max(1, cell.height()) + 2) * columns
        return [self.model().index(row, 0) for row in range(top, min(top + rows, self.model().rowCount()))]
