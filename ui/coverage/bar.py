"""A thin bar: how much of the whole, in a colour by meaning."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from catalog.coverage_words import Tone
from ui.theme import theme, watcher

HEIGHT = 3


def paint_bar(painter: QPainter, rect: QRectF, share: float, tone: Tone) -> None:
    """The bar's groove, and its part from 0 to 1."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme().line))
    radius = rect.height() / 2
    painter.drawRoundedRect(rect, radius, radius)
    if share > 0:
        painter.setBrush(QColor(getattr(theme(), tone)))
        width = max(rect.height(), rect.width() * min(1.0, share))
        painter.drawRoundedRect(QRectF(rect.left(), rect.top(), width, rect.height()), radius, radius)


class CoverageBar(QWidget):
    """The bar as a widget; the words beside it say the same."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._share: float = 0
        self._tone: Tone = "good"
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        watcher().changed.connect(self.update)

    def show_share(self, share: float, tone: Tone) -> None:
        """Show a part from 0 to 1."""
        self._share, self._tone = share, tone
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_bar(painter, QRectF(self.rect()), self._share, self._tone)
        painter.end()
