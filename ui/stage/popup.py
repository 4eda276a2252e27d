"""A small editor that opens under the pill it belongs to."""

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QGuiApplication, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui.theme import theme


class Popup(QWidget):
    """Holds one editor; Enter, Escape or a click elsewhere closes it."""

    def __init__(self, pill: QWidget, editor: QWidget) -> None:
        super().__init__(pill, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAttribute(Qt.WidgetAttribute.WA_NoMouseReplay)  # a click on the pill closes, not reopens
        self.setAccessibleName(pill.accessibleName())
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.addWidget(editor)
        self._pill = pill

    def open(self) -> None:
        """Show the editor under its pill, or over it where the screen ends."""
        self.adjustSize()
        room = (self._pill.screen() or QGuiApplication.primaryScreen()).availableGeometry()
        corner = self._pill.mapToGlobal(QPoint(0, self._pill.height() + 4))
        if corner.y() + self.height() > room.bottom():
            corner.setY(self._pill.mapToGlobal(QPoint(0, -4)).y() - self.height())
        corner.setX(max(room.left(), min(corner.x(), room.right() - self.width())))
        self.move(corner)
        self.show()
        self.focusNextChild()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.close()
        else:
            super().keyPressEvent(event)  # Escape closes a popup by itself

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme().panel))
        painter.setPen(QColor(theme().line))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()
