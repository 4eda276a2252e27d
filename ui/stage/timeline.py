"""The denoise timeline: a cell per step, with what was seen there and whose step it was."""

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolTip, QWidget

from catalog.models import Expert
from engine.messages import Frames
from ui.stage.captions import NOISE
from ui.stage.showing import Showing
from ui.stage.strip_image import strip_of
from ui.stage.track import CELL, TOP, NameOf, Track
from ui.state.run import RunState
from ui.theme import font, theme, watcher

_UNDERLINE, _LABELS = 3, 18
_LINE = TOP + CELL + 3
_STALE, _REUSED = 0.4, 0.75
_HINT = (
    "The steps of the run. Hover one to see its preview, click to keep it; ← → step through, End goes back."
)


class Timeline(QWidget):
    """Paints the steps of the run on the stage; the mouse and the arrow keys look at them."""

    branch_requested = Signal()

    def __init__(self, run_state: RunState, showing: Showing, name_of: NameOf) -> None:
        super().__init__()
        self._run_state = run_state
        self._showing = showing
        self.track = Track(run_state, name_of)
        self._thumbnails: dict[int, tuple[Frames, QPixmap]] = {}
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Denoise timeline")
        self.setToolTip(_HINT)
        run_state.takes.changed.connect(self.update)
        run_state.changed.connect(self.update)
        showing.changed.connect(self._describe)
        watcher().changed.connect(self.update)
        self._describe()

    def sizeHint(self) -> QSize:
        return QSize(400, _LINE + _UNDERLINE + _LABELS)

    def cell(self, step: int) -> QRectF:
        """Where a step's cell is in this widget."""
        return self.track.cell(step, self.width())

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for step in range(self.track.count):
            self._paint_cell(painter, step)
            self._paint_underline(painter, step)
        self._paint_ends(painter)
        self._paint_boundary(painter)
        self._paint_playhead(painter)
        self._paint_focus(painter)
        painter.end()

    def _paint_cell(self, painter: QPainter, step: int) -> None:
        area, is_done = self.cell(step), step < self.track.done
        outline = QPainterPath()
        outline.addRoundedRect(area, 3, 3)
        painter.fillPath(outline, QColor(theme().raised if is_done else theme().panel))
        if is_done:
            painter.setClipPath(outline)
            painter.setOpacity(self._opacity(step))
            painter.drawPixmap(area, self._thumbnail(step), QRectF())
            painter.setOpacity(1.0)
            painter.setClipping(False)
        if self.track.is_turn(step):
            self._paint_turn(painter, area)
        if step == self._showing.step and (step + 1 != self.track.fresh or self._showing.is_pinned):
            painter.setPen(QPen(QColor(theme().accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), 3, 3)

    def _opacity(self, step: int) -> float:
        """Steps that were taken over stand back a little, those of the clip before a draft more."""
        if step >= self.track.fresh:
            return _STALE
        return _REUSED if self.track.steps[step].is_reused else 1.0

    def _paint_turn(self, painter: QPainter, area: QRectF) -> None:
        """A notch where the faders were moved; on a picture, so the same in every theme."""
        corner, side = area.topLeft(), min(7.0, area.width())
        painter.setPen(QPen(Qt.GlobalColor.black, 1))
        painter.setBrush(Qt.GlobalColor.white)
        painter.drawPolygon(QPolygonF([corner, corner + QPointF(side, 0), corner + QPointF(0, side)]))

    def _thumbnail(self, step: int) -> QPixmap:
        """A step's preview at the size of its cell; made once per preview and size."""
        preview = self.track.steps[step].preview
        known = self._thumbnails.get(step)
        if known is None or known[0] is not preview:
            area, ratio = self.cell(step), self.devicePixelRatioF()
            size = QSize(max(round(area.width() * ratio), 1), round(area.height() * ratio))
            known = self._thumbnails[step] = preview, strip_of(preview, size)
        return known[1]

    def _paint_underline(self, painter: QPainter, step: int) -> None:
        experts, area = self.track.experts, self.cell(step)
        is_known = self.track.take is not None
        colour = QColor(
            _colour(experts[step]) if experts else theme().secondary if is_known else theme().line
        )
        if is_known and step >= self.track.fresh:
            colour.setAlphaF(0.3)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRoundedRect(QRectF(area.left(), _LINE, area.width(), _UNDERLINE), 1.5, 1.5)

    @property
    def _labels(self) -> QRectF:
        return QRectF(0, self.height() - _LABELS, self.width(), _LABELS)

    def _paint_ends(self, painter: QPainter) -> None:
        """Whose steps are at the two ends; or how noisy they are, where there is one expert."""
        experts = self.track.experts
        texts, colours = self.track.ends, (theme().secondary, theme().secondary)
        if experts:
            ends = (experts[0], experts[-1])
            colours = (_colour(ends[0]), _colour(ends[1]))
            texts = (NOISE[ends[0]], NOISE[ends[1]] if ends[0] != ends[1] else "")
        painter.setFont(font(11, is_tabular=True))
        sides = (Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight)
        for text, colour, side in zip(texts, colours, sides, strict=True):
            painter.setPen(QColor(colour))
            painter.drawText(self._labels, side | Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_boundary(self, painter: QPainter) -> None:
        place = self.track.boundary
        if place is None:
            return
        x = round(self.track.place(place, self.width())) + 0.5
        pen = QPen(QColor(theme().secondary), 1, Qt.PenStyle.CustomDashLine)
        pen.setDashPattern([3, 2])
        painter.setPen(pen)
        painter.drawLine(QPointF(x, 0), QPointF(x, _LINE + _UNDERLINE + 2))
        metrics, text = painter.fontMetrics(), self.track.boundary_text
        width, end = metrics.horizontalAdvance(text), metrics.horizontalAdvance(NOISE["high"]) + 12
        left = min(max(x - width / 2, end), self.width() - end - width)
        if left >= end:  # else it would run into the words at the ends
            area = QRectF(left, self._labels.top(), width + 1, _LABELS)
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_playhead(self, painter: QPainter) -> None:
        step = self._showing.step
        if step is not None:
            x = self.cell(step).right() + 1
            painter.setPen(QPen(QColor(theme().text), 2))
            painter.drawLine(QPointF(x, 1), QPointF(x, _LINE + _UNDERLINE))

    def _paint_focus(self, painter: QPainter) -> None:
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme().accent), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(0.5, 0.5, self.width() - 1, self.height() - _LABELS - 0.5), 4, 4)

    # What one does

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._showing.look_at(self._step_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        self._showing.look_away()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._showing.toggle_pin(self._step_at(event.position()))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        is_by_mouse = event.reason() == QContextMenuEvent.Reason.Mouse
        step = self._step_at(QPointF(event.pos())) if is_by_mouse else self._showing.step
        if step is None or step >= self.track.done:
            return
        self._showing.pin(step)
        menu = self.menu_of(step)
        menu.popup(event.globalPos() if is_by_mouse else self.mapToGlobal(self.cell(step).center().toPoint()))

    def menu_of(self, step: int) -> QMenu:
        """What can be done with a step that is pinned."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        branch = menu.addAction(f"Branch from step {step + 1}\tB", self.branch_requested.emit)
        branch.setEnabled(self._showing.pinned is not None)
        menu.addAction("Back to the clip\tEnd", self._showing.rest)
        return menu

    def keyPressEvent(self, event: QKeyEvent) -> None:
        last = self.track.done - 1
        step, key = self._showing.step, Qt.Key
        match event.key():
            case key.Key_Left:
                self._showing.pin(last if step is None else max(step - 1, 0))
            case key.Key_Right if step is not None:
                self._showing.pin(min(step + 1, last))
            case key.Key_Home:
                self._showing.pin(0)
            case key.Key_End:
                self._showing.rest()
            case _:
                super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            said = self.track.describe(self._step_at(QPointF(event.pos())))
            QToolTip.showText(event.globalPos(), said or _HINT, self)
            return True
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._thumbnails.clear()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._thumbnails.clear()

    def _step_at(self, place: QPointF) -> int:
        return self.track.step_at(place.x(), self.width())

    def _describe(self) -> None:
        step = self._showing.step
        self.setAccessibleDescription(_HINT if step is None else self.track.describe(step))
        self.update()


def _colour(expert: Expert) -> str:
    return theme().high if expert == "high" else theme().low
