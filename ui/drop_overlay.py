"""Files from outside, dropped anywhere on the window."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, QPoint, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QDropEvent, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from ui.browser.cards import CARD_MIME, paths_in
from ui.theme import font, theme

RECIPES = (".json", ".mp4", ".webm")
_MARGIN = 16
_AN_IMAGE = (Path("a picture.png"),)
"""Stands for a picture that has no file."""


@dataclass(frozen=True, slots=True)
class Landing:
    """A place of its own for what is dragged: where in the window, its name, and what a drop there does."""

    area: QRect
    name: str
    words: str


@dataclass(frozen=True, slots=True)
class DropPlan:
    """What a drop does: at the landings, and with `words` anywhere else."""

    words: str
    landings: tuple[Landing, ...] = ()

    def at(self, place: QPoint) -> Landing | None:
        """The landing at a place of the window."""
        return next((landing for landing in self.landings if landing.area.contains(place)), None)


def plain_plan(paths: tuple[Path, ...]) -> DropPlan:
    """The plan for recipes and for files to install."""
    is_recipe = len(paths) == 1 and paths[0].suffix.lower() in RECIPES
    return DropPlan("Drop to open the recipe" if is_recipe else "Drop to install")


def _dragged(data: QMimeData) -> tuple[Path, ...]:
    """The files that are dragged, or what stands for a picture without one."""
    paths = paths_in(data) if data.hasUrls() else ()
    return paths or (_AN_IMAGE if data.hasImage() else ())


class DropOverlay(QWidget):
    """Covers its parent while files from outside are dragged over it.

    It watches the parent and every child that takes drops of its own: a text box would otherwise write
    the file's address into the prompt. Cards of this window are left to the desk. `plan` says what a drop
    of files would do.
    """

    dropped = Signal(object, QPoint)
    """tuple[Path, ...] and where in the window."""
    image_dropped = Signal(QImage, QPoint)
    """A picture without a file, as browsers give it."""

    def __init__(self, parent: QWidget, plan: Callable[[tuple[Path, ...]], DropPlan] = plain_plan) -> None:
        super().__init__(parent)
        self._window, self._plan_for = parent, plan
        self._plan = DropPlan("")
        self._over: Landing | None = None
        self.setAcceptDrops(True)
        self.hide()
        parent.setAcceptDrops(True)
        parent.installEventFilter(self)
        self.installEventFilter(self)

    def guard(self, widget: QWidget) -> None:
        """Take files that are dropped on `widget`, too."""
        widget.installEventFilter(self)

    @property
    def words(self) -> str:
        """What a drop would do where the mouse is."""
        return self._over.words if self._over else self._plan.words

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.DragLeave and watched is self:
            self._over = None
            self.hide()
        if not isinstance(event, QDropEvent):  # which enter and move events are, too
            return False
        data = event.mimeData()
        if data.hasFormat(CARD_MIME) and watched is not self._window:
            event.ignore()
            return True
        paths = _dragged(data) if event.source() is None else ()
        if not paths:
            return False
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        if kind == QEvent.Type.Drop:
            self._drop(watched, event, paths)
            return True
        if self.isHidden():
            self._cover(paths)
        self._aim(self._plan.at(self._place(watched, event)))
        return True

    def _cover(self, paths: tuple[Path, ...]) -> None:
        self._plan = self._plan_for(paths)
        self.setGeometry(self._window.rect())
        self.raise_()
        self.show()

    def _aim(self, landing: Landing | None) -> None:
        if landing != self._over:
            self._over = landing
            self.update()

    def _drop(self, watched: QObject, event: QDropEvent, paths: tuple[Path, ...]) -> None:
        self.hide()
        self._over = None
        place = self._place(watched, event)
        if paths == _AN_IMAGE:
            self.image_dropped.emit(QImage(event.mimeData().imageData()), place)
        else:
            self.dropped.emit(paths, place)

    def _place(self, watched: QObject, event: QDropEvent) -> QPoint:
        """Where in the window."""
        place = event.position().toPoint()
        if isinstance(watched, QWidget) and watched is not self._window:
            return watched.mapTo(self._window, place)
        return place

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = QColor(theme().background)
        ground.setAlphaF(0.86)
        painter.fillRect(self.rect(), ground)
        for landing in self._plan.landings:
            self._paint_landing(painter, landing)
        if self._over is None:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(theme().accent), 2, Qt.PenStyle.DashLine))
            area = QRectF(self.rect()).adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
            painter.drawRoundedRect(area, 8, 8)
        painter.setFont(font(15, is_bold=True))
        painter.setPen(QColor(theme().text))
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), self.words)

    def _paint_landing(self, painter: QPainter, landing: Landing) -> None:
        is_over = landing is self._over
        painter.setBrush(QColor(theme().raised))
        painter.setPen(QPen(QColor(theme().accent), 2 if is_over else 1))
        painter.drawRoundedRect(QRectF(landing.area).adjusted(1, 1, -1, -1), 6, 6)
        painter.setFont(font(12, is_bold=is_over))
        painter.setPen(QColor(theme().text if is_over else theme().secondary))
        room = landing.area.width() - 12
        shown = painter.fontMetrics().elidedText(landing.name, Qt.TextElideMode.ElideRight, room)
        painter.drawText(landing.area, int(Qt.AlignmentFlag.AlignCenter), shown)
