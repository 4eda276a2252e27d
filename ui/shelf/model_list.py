"""The list of models that can be had, each with what it does and whether it is here already."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from catalog.shelf import shelf
from ui.theme import font, theme, watcher

OTHER = "another"
"""The id of the last item, which stands for any repository."""
_OTHER_TITLE, _OTHER_DOES = "Another repository", "Any repository of the Hub, by its name."
_ID, _DOES, _MARK = (Qt.ItemDataRole.UserRole + i for i in range(3))
_HEIGHT = 48


class ModelList(QListWidget):
    """Says by `picked` which model is to be shown: its id in the table, or OTHER."""

    picked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setItemDelegate(_Delegate(self))
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.setAccessibleName("Models")
        self.setToolTip("Which model to get (↑ ↓)")
        for shelved in shelf():
            self._add(shelved.row.id, shelved.row.title, shelved.does)
        self._add(OTHER, _OTHER_TITLE, _OTHER_DOES)
        self.currentItemChanged.connect(lambda: self.picked.emit(self.picked_id))
        watcher().changed.connect(self.viewport().update)

    @property
    def picked_id(self) -> str:
        """The model that is chosen."""
        item = self.currentItem()
        return str(item.data(_ID)) if item else ""

    def pick(self, id: str) -> None:
        """Choose a model."""
        for item in self._items():
            if item.data(_ID) == id:
                self.setCurrentItem(item)

    def mark(self, marks: dict[str, str]) -> None:
        """Say beside models that they are here, or how far they are."""
        for item in self._items():
            mark = marks.get(item.data(_ID), "")
            item.setData(_MARK, mark)
            words = f"{item.text()}, {mark}" if mark else item.text()
            item.setData(Qt.ItemDataRole.AccessibleTextRole, words)

    def _items(self) -> list[QListWidgetItem]:
        return [self.item(i) for i in range(self.count())]

    def _add(self, id: str, title: str, does: str) -> None:
        item = QListWidgetItem(title, self)
        item.setData(_ID, id)
        item.setData(_DOES, does)
        item.setToolTip(does)


class _Delegate(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(0, _HEIGHT)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        state: QStyle.StateFlag = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(option.rect).adjusted(1, 1, -9, -1)
        _ground(painter, area, state)
        inner = area.adjusted(12, 5, -10, -5)
        mark = index.data(_MARK) or ""
        width = QFontMetrics(font(11)).horizontalAdvance(mark) + 8 if mark else 0
        upper = QRectF(inner.left(), inner.top(), inner.width() - width, 20)
        _line(painter, upper, index.data(Qt.ItemDataRole.DisplayRole), font(13, is_bold=True), theme().text)
        _line(painter, inner.adjusted(0, 20, 0, 0), index.data(_DOES), font(12), theme().secondary)
        if mark:
            colour = theme().good if mark == "here" else theme().secondary
            beside = QRectF(inner.right() - width + 8, inner.top(), width, 20)
            _line(painter, beside, mark, font(11, is_tabular=True), colour)
        painter.restore()


def _ground(painter: QPainter, area: QRectF, state: QStyle.StateFlag) -> None:
    is_chosen = bool(state & QStyle.StateFlag.State_Selected)
    is_hot = bool(state & QStyle.StateFlag.State_MouseOver)
    if not is_chosen and not is_hot:
        return
    painter.setBrush(QColor(theme().raised if is_chosen else theme().hover))
    painter.setPen(QColor(theme().accent) if is_chosen else Qt.PenStyle.NoPen)
    painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)


def _line(painter: QPainter, area: QRectF, text: str, face: QFont, colour: str) -> None:
    painter.setFont(face)
    painter.setPen(QColor(colour))
    shown = QFontMetrics(face).elidedText(text, Qt.TextElideMode.ElideRight, int(area.width()))
    painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter), shown)
