"""The place under the last strip that asks for another LoRA."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.theme import font, theme


class DropZone(QWidget):
    """Only says where to drop; the desk around it accepts."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_hot = self._is_empty = False
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Drop a LoRA here")

    def show_state(self, is_hot: bool, is_empty: bool) -> None:
        """Light up while something is dragged over the desk; be large while the desk is empty."""
        self._is_hot, self._is_empty = is_hot, is_empty
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, 96 if self._is_empty else 56)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = QColor(theme().accent if self._is_hot else theme().line)
        painter.setPen(QPen(colour, 1.5, Qt.PenStyle.SolidLine if self._is_hot else Qt.PenStyle.DashLine))
        painter.drawRoundedRect(self.rect().toRectF().adjusted(1, 1, -1, -1), 8, 8)
        painter.setFont(font(12))
        painter.setPen(QColor(theme().text if self._is_hot else theme().secondary))
        text = "Drag a LoRA here\nor double-click its card" if self._is_empty else "Drag a LoRA here"
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), text)
