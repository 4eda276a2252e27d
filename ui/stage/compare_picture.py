"""Two clips in one place: a wipe between them, both side by side, or what differs."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.messages import Frames
from ui.eliding import elided
from ui.stage import pill
from ui.stage.image import fitted, image_of
from ui.stage.playback import Playback
from ui.theme import font, theme, watcher

View = Literal["wipe", "side by side", "difference"]
AMPLIFIED = 4
"""What differs is shown this many times as strong."""
_GAP = 8.0
_INSET = 12.0
_GRIP = 7.0
_RADIUS = 6.0


class ComparePicture(QWidget):
    """Paints clips at the moment of the playback. `divided` says that the wipe's divider was moved."""

    divided = Signal()

    def __init__(self, playback: Playback) -> None:
        super().__init__()
        self._playback = playback
        self.view: View = "wipe"
        self.divider = 0.5
        """Where the wipe changes from the first clip to the second, 0…1 from the left."""
        self.has_focus = False
        """Whether keys go here, and one should see it."""
        self._clips: tuple[Frames, ...] = ()
        self._names: tuple[str, ...] = ("", "")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 120)
        playback.frame_changed.connect(self.update)
        watcher().changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(640, 400)

    def show_clips(self, clips: tuple[Frames, ...], names: tuple[str, ...]) -> None:
        """Show none, one or two clips of one shape, called `names`."""
        self._clips, self._names = clips, names
        self.update()

    def set_view(self, view: View) -> None:
        """Compare in another way."""
        self.view = view
        self.update()

    def move_divider(self, to: float) -> None:
        """Put the divider somewhere, 0…1 from the left."""
        self.divider = min(max(to, 0.0), 1.0)
        self.divided.emit()
        self.update()

    @property
    def frame(self) -> int:
        """The frame of both clips that is on: the moment at which the playback is."""
        count = len(self._clips[0]) if self._clips else 0
        if not self._playback.count:
            return 0
        return min(self._playback.frame * count // self._playback.count, max(count - 1, 0))

    @property
    def areas(self) -> tuple[QRectF, ...]:
        """Where the pictures are: one place, or two side by side or one above the other."""
        room, scale = QRectF(self.rect()), self.devicePixelRatioF()
        shown = self._clips[0] if self._clips else self._playback.frames
        if shown is None or not len(shown):
            return (room,)
        height, width = shown.shape[1:3]
        size = QSizeF(width, height)
        if self.view != "side by side" or len(self._clips) < 2:
            return (fitted(size, room, scale),)
        half = (room.width() - _GAP) / 2
        beside = [QRectF(x, 0, half, room.height()) for x in (0.0, half + _GAP)]
        low = (room.height() - _GAP) / 2
        above = [QRectF(0, y, room.width(), low) for y in (0.0, low + _GAP)]
        rooms = max((beside, above), key=lambda pair: fitted(size, pair[0], scale).width())
        return tuple(fitted(size, each, scale) for each in rooms)

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.rect(), QColor(theme().background))
        frames, areas = [clip[self.frame] for clip in self._clips], self.areas
        if len(frames) < 2:
            self._paint_waiting(painter, areas[0], frames)
        elif self.view == "wipe":
            self._paint_wipe(painter, areas[0], frames)
        elif self.view == "side by side":
            for area, frame, name in zip(areas, frames, self._names, strict=True):
                painter.drawImage(area, image_of(frame))
                self._paint_label(painter, area, name)
        else:
            painter.drawImage(areas[0], image_of(difference(*frames)))
            self._paint_label(painter, areas[0], f"difference ×{AMPLIFIED}")
        if self.has_focus:
            self._paint_focus(painter, areas[0].united(areas[-1]))
        painter.end()

    def _paint_waiting(self, painter: QPainter, area: QRectF, frames: list[NDArray[np.uint8]]) -> None:
        if frames:
            painter.drawImage(area, image_of(frames[0]))
            self._paint_label(painter, area, self._names[0])
            return
        if (shown := self._playback.picture) is not None:
            painter.drawImage(area, image_of(shown))
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme().panel))
        painter.drawRoundedRect(area, _RADIUS, _RADIUS)

    def _paint_wipe(self, painter: QPainter, area: QRectF, frames: list[NDArray[np.uint8]]) -> None:
        x = area.left() + self.divider * area.width()
        painter.drawImage(area, image_of(frames[0]))
        painter.save()
        painter.setClipRect(QRectF(x, area.top(), area.right() - x, area.height()))
        painter.drawImage(area, image_of(frames[1]))
        painter.restore()
        first, other = self._names
        half = area.width() / 2
        self._paint_label(painter, area.adjusted(0, 0, -half, 0), first)
        self._paint_label(painter, area.adjusted(half, 0, 0, 0), other, is_right=True)
        for colour, width in ((theme().background, 4.0), (theme().text, 2.0)):
            painter.setPen(QPen(QColor(colour), width))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        painter.setBrush(QColor(theme().accent))
        painter.drawEllipse(QPointF(x, area.center().y()), _GRIP, _GRIP)

    def _paint_focus(self, painter: QPainter, area: QRectF) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(theme().accent), 2))
        painter.drawRect(area.adjusted(1, 1, -1, -1))

    def _paint_label(self, painter: QPainter, area: QRectF, text: str, is_right: bool = False) -> None:
        face = font(12)
        room = max(area.width() - 4 * _INSET, 48.0)
        text = elided(text, face, room)
        parts = (pill.Part(text, theme().text),)
        x = area.right() - _INSET - pill.width_of(parts, face) if is_right else area.left() + _INSET
        pill.paint(painter, QPointF(x, area.top() + _INSET), parts, face, theme().raised)

    # Moving the divider

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._drag(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._drag(event)

    def _drag(self, event: QMouseEvent) -> None:
        is_wipe = self.view == "wipe" and len(self._clips) == 2
        if is_wipe and event.buttons() & Qt.MouseButton.LeftButton:
            area = self.areas[0]
            self.move_divider((event.position().x() - area.left()) / area.width())
        else:
            event.ignore()


def difference(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """How far two frames are apart in each channel, amplified; black where they are equal."""
    apart = np.abs(one.astype(np.int16) - other) * AMPLIFIED
    shown: NDArray[np.uint8] = np.minimum(apart, 255).astype(np.uint8)
    return shown
