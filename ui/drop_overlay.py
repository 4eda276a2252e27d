"""Files from outside, dropped anywhere on the window."""

from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QPoint, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QDropEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from ui.browser.cards import CARD_MIME, paths_in
from ui.theme import font, theme

RECIPES = (".json", ".mp4", ".webm")


class DropOverlay(QWidget):
    """Covers its parent while files from outside are dragged over it.

    It watches the parent and every child that takes drops of its own: a text box would otherwise write
    the file's address into the prompt. Cards of this window are left to the desk.
    """

    dropped = Signal(object, QPoint)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._window = parent
        self._text = ""
        self.setAcceptDrops(True)
        self.hide()
        parent.setAcceptDrops(True)
        parent.installEventFilter(self)
        self.installEventFilter(self)

    def guard(self, widget: QWidget) -> None:
        """Take files that are dropped on `widget`, too."""
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.DragLeave and watched is self:
            self.hide()
        if not isinstance(event, QDropEvent):  # which enter and move events are, too
            return False
        data = event.mimeData()
        if data.hasFormat(CARD_MIME) and watched is not self._window:
            event.ignore()
            return True
        paths = paths_in(data) if data.hasUrls() and event.source() is None else ()
        if not paths:
            return False
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        if kind == QEvent.Type.Drop:
            self._drop(watched, event, paths)
        elif self.isHidden():
            self._cover(paths)
        return True

    def _cover(self, paths: tuple[Path, ...]) -> None:
        is_recipe = len(paths) == 1 and paths[0].suffix.lower() in RECIPES
        self._text = "Drop to open the recipe" if is_recipe else "Drop to install"
        self.setGeometry(self._window.rect())
        self.raise_()
        self.show()

    def _drop(self, watched: QObject, event: QDropEvent, paths: tuple[Path, ...]) -> None:
        self.hide()
        place = event.position().toPoint()
        if isinstance(watched, QWidget) and watched is not self._window:
            place = watched.mapTo(self._window, place)
        self.dropped.emit(paths, place)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = QColor(theme().background)
        ground.setAlphaF(0.86)
        painter.fillRect(self.rect(), ground)
        painter.setPen(QPen(QColor(theme().accent), 2, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(16, 16, -16, -16), 8, 8)
        painter.setFont(font(15, is_bold=True))
        painter.setPen(QColor(theme().text))
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), self._text)
