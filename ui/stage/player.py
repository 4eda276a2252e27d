"""The picture: paints the frame that is on, and obeys the keyboard."""

from PySide6.QtCore import QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QFocusEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.stage import captions, pill
from ui.stage.image import fitted, image_of, resized
from ui.stage.playback import SPEEDS, Playback
from ui.stage.showing import Showing
from ui.state.run import RunState
from ui.theme import font, theme, watcher

_RADIUS = 6.0


class Player(QWidget):
    """Shows the playback's frame as large as fits, letter-boxed, with two pills over it."""

    def __init__(self, run_state: RunState, showing: Showing, playback: Playback) -> None:
        super().__init__()
        self._run_state = run_state
        self._showing = showing
        self._playback = playback
        self._is_reached_by_key = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 120)
        self.setAccessibleName("Picture")
        self.setToolTip(
            "Space: play or pause\n← → (or , .): one frame back or on\n"
            "Home, End: first and last frame\n− +: slower and faster"
        )
        playback.frame_changed.connect(self.update)
        playback.frames_changed.connect(self.update)
        showing.changed.connect(self._describe)
        run_state.step_finished.connect(self._describe)
        run_state.changed.connect(self.update)
        watcher().changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(640, 400)

    @property
    def picture(self) -> QRectF:
        """Where the picture is."""
        shown, settings = self._playback.picture, self._run_state.settings
        height, width = shown.shape[:2] if shown is not None else (settings.height, settings.width)
        return fitted(QSizeF(width, height), QRectF(self.rect()), self.devicePixelRatioF())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.rect(), QColor(theme().background))
        area = self.picture
        shown = self._playback.picture
        if shown is not None:
            painter.drawImage(area, self._scaled(image_of(shown), area))
        else:
            self._paint_empty(painter, area)
        self._paint_pills(painter, area)
        if self.hasFocus() and self._is_reached_by_key:
            self._paint_focus(painter, area)
        painter.end()

    def _scaled(self, image: QImage, area: QRectF) -> QImage:
        width = round(area.width() * self.devicePixelRatioF())
        if 0 < width < image.width() / 2:
            return resized(image, width, max(round(area.height() * self.devicePixelRatioF()), 1))
        return image

    def _paint_empty(self, painter: QPainter, area: QRectF) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme().panel))
        painter.drawRoundedRect(area, _RADIUS, _RADIUS)
        painter.setPen(QColor(theme().secondary))
        painter.setFont(font(14))
        words = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(area.adjusted(16, 16, -16, -16), words, captions.empty(self._run_state))

    def _paint_pills(self, painter: QPainter, area: QRectF) -> None:
        face = font(12, is_tabular=True)
        left = captions.left(self._run_state, self._showing)
        right = captions.right(self._run_state, self._showing)
        widths = (pill.width_of(left, face), pill.width_of(right, face))
        corners = pill.corners(QRectF(self.rect()), area, *widths)
        for corner, parts in zip(corners, (left, right), strict=True):
            pill.paint(painter, corner, parts, face, theme().raised)

    def _paint_focus(self, painter: QPainter, area: QRectF) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(theme().accent), 2))
        painter.drawRect(area.adjusted(1, 1, -1, -1))

    def _describe(self) -> None:
        parts = (
            captions.left(self._run_state, self._showing),
            captions.right(self._run_state, self._showing),
        )
        said = ", ".join(captions.plain(each) for each in parts if each)
        self.setAccessibleDescription(said or captions.empty(self._run_state))
        self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._is_reached_by_key = event.reason() != Qt.FocusReason.MouseFocusReason
        super().focusInEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._playback.count > 1:
            self._playback.toggle()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        playback, key = self._playback, Qt.Key
        match event.key():
            case key.Key_Space:
                playback.toggle()
            case key.Key_Left | key.Key_Comma:
                playback.step(-1)
            case key.Key_Right | key.Key_Period:
                playback.step(1)
            case key.Key_Home:
                playback.seek(0)
            case key.Key_End:
                playback.seek(playback.count - 1)
            case key.Key_Minus:
                self._shift_speed(-1)
            case key.Key_Plus | key.Key_Equal:
                self._shift_speed(1)
            case _:
                super().keyPressEvent(event)

    def _shift_speed(self, places: int) -> None:
        place = SPEEDS.index(self._playback.speed) + places
        self._playback.set_speed(SPEEDS[min(max(place, 0), len(SPEEDS) - 1)])
