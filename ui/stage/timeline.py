"""The denoise timeline: a cell per step, with what was seen there and whose step it was."""

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from catalog.models import Expert
from engine.messages import StepFinished
from ui.stage.captions import NOISE
from ui.stage.showing import Showing
from ui.stage.strip_image import strip_of
from ui.state.run import RunState
from ui.theme import font, theme, watcher

_TOP, _CELL, _UNDERLINE, _LABELS = 4, 32, 3, 18
_HINT = (
    "The steps of the run. Hover one to see its preview, click to keep it; ← → step through, End goes back."
)


class Timeline(QWidget):
    """Paints the steps of the run on the stage; the mouse and the arrow keys look at them."""

    def __init__(self, run_state: RunState, showing: Showing) -> None:
        super().__init__()
        self._run_state = run_state
        self._showing = showing
        self._thumbnails: dict[int, QPixmap] = {}
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Denoise timeline")
        self.setToolTip(_HINT)
        run_state.started.connect(self._on_started)
        run_state.step_finished.connect(self.update)
        run_state.changed.connect(self.update)
        showing.changed.connect(self._describe)
        watcher().changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(400, _TOP + _CELL + 3 + _UNDERLINE + _LABELS)

    @property
    def count(self) -> int:
        """How many cells there are: the run's steps, or before it those of the settings."""
        started = self._run_state.run_started
        return len(started.experts) if started else self._run_state.settings.steps

    @property
    def experts(self) -> tuple[Expert, ...]:
        """Whose step each is; empty before the first run."""
        started = self._run_state.run_started
        return started.experts if started else ()

    @property
    def boundary(self) -> int | None:
        """The first step of the second expert, if both have work."""
        experts = self.experts
        return experts.index("low") if "low" in experts and experts[0] == "high" else None

    def cell(self, step: int) -> QRectF:
        """Where a step's cell is."""
        gap = 3.0 if self.width() / self.count >= 12 else 1.0
        each = (self.width() + gap) / self.count
        return QRectF(step * each, _TOP, each - gap, _CELL)

    def step_at(self, x: float) -> int:
        """The step under a place."""
        return min(max(int(x / self.width() * self.count), 0), self.count - 1)

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for step in range(self.count):
            self._paint_cell(painter, step)
        self._paint_labels(painter)
        self._paint_playhead(painter)
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme().accent), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(0.5, 0.5, self.width() - 1, self.height() - _LABELS - 0.5), 4, 4)
        painter.end()

    def _paint_cell(self, painter: QPainter, step: int) -> None:
        area, steps = self.cell(step), self._run_state.steps
        outline = QPainterPath()
        outline.addRoundedRect(area, 3, 3)
        painter.fillPath(outline, QColor(theme().raised if step < len(steps) else theme().panel))
        if step < len(steps):
            painter.setClipPath(outline)
            painter.drawPixmap(area, self._thumbnail(steps[step]), QRectF())
            painter.setClipping(False)
        if step == self._showing.step and step + 1 < len(steps):
            painter.setPen(QPen(QColor(theme().accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), 3, 3)
        line = QRectF(area.left(), area.bottom() + 3, area.width(), _UNDERLINE)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._underline(step))
        painter.drawRoundedRect(line, 1.5, 1.5)

    def _underline(self, step: int) -> QColor:
        if not self.experts:
            return QColor(theme().line)
        is_split = len(self._run_state.model.experts) > 1
        colour = QColor(_colour(self.experts[step]) if is_split else theme().secondary)
        colour.setAlphaF(1.0 if step < len(self._run_state.steps) else 0.3)
        return colour

    def _thumbnail(self, event: StepFinished) -> QPixmap:
        """A step's preview at the size of its cell; made once per size."""
        if event.step not in self._thumbnails:
            area, ratio = self.cell(event.step), self.devicePixelRatioF()
            size = QSize(max(round(area.width() * ratio), 1), round(area.height() * ratio))
            self._thumbnails[event.step] = strip_of(event.preview, size)
        return self._thumbnails[event.step]

    def _paint_labels(self, painter: QPainter) -> None:
        painter.setFont(font(11, is_tabular=True))
        area = QRectF(0, self.height() - _LABELS, self.width(), _LABELS)
        align = Qt.AlignmentFlag
        for text, colour, side in self._labels():
            painter.setPen(QColor(colour))
            painter.drawText(area, side | align.AlignVCenter, text)
        boundary = self.boundary
        if boundary is not None:
            self._paint_boundary(painter, area, boundary)

    def _labels(self) -> list[tuple[str, str, Qt.AlignmentFlag]]:
        """What is written at the two ends."""
        left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        started = self._run_state.run_started
        if started is None:
            return [(f"{self.count} steps", theme().secondary, left)]
        if len(self._run_state.model.experts) < 2:
            first, last = (f"σ {started.sigmas[i]:.2f}" for i in (0, -1))
            return [(first, theme().secondary, left), (last, theme().secondary, right)]
        ends = ((started.experts[0], left), (started.experts[-1], right))
        texts = [(NOISE[expert], _colour(expert), side) for expert, side in ends]
        return texts if self.boundary is not None else texts[:1]

    def _paint_boundary(self, painter: QPainter, labels: QRectF, step: int) -> None:
        x = round((self.cell(step - 1).right() + self.cell(step).left()) / 2) + 0.5
        pen = QPen(QColor(theme().secondary), 1, Qt.PenStyle.CustomDashLine)
        pen.setDashPattern([3, 2])
        painter.setPen(pen)
        painter.drawLine(QPointF(x, 0), QPointF(x, _TOP + _CELL + 3 + _UNDERLINE + 2))
        text = self._boundary_text(step)
        metrics = painter.fontMetrics()
        width = metrics.horizontalAdvance(text)
        room = metrics.horizontalAdvance(NOISE["high"]) + 12
        left = min(max(x - width / 2, room), labels.width() - room - width)
        if left < room:
            return  # too narrow to say it without running into the ends
        painter.setPen(QColor(theme().secondary))
        area = QRectF(left, labels.top(), width + 1, labels.height())
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)

    def _boundary_text(self, step: int) -> str:
        boundary = self._run_state.model.boundary
        started = self._run_state.run_started
        sigma = boundary if boundary is not None or started is None else started.sigmas[step]
        return f"boundary σ {sigma:.3f}"

    def _paint_playhead(self, painter: QPainter) -> None:
        step = self._showing.step
        if step is None:
            return
        x = self.cell(step).right() + 1
        painter.setPen(QPen(QColor(theme().text), 2))
        painter.drawLine(QPointF(x, 1), QPointF(x, _TOP + _CELL + 3 + _UNDERLINE))

    # What one does

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._showing.look_at(self.step_at(event.position().x()))

    def leaveEvent(self, event: QEvent) -> None:
        self._showing.look_away()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._showing.toggle_pin(self.step_at(event.position().x()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        last = len(self._run_state.steps) - 1
        step, key = self._showing.step, Qt.Key
        match event.key():
            case key.Key_Left:
                self._showing.pin(last if step is None else max(step - 1, 0))
            case key.Key_Right if step is not None:
                self._showing.pin(min(step + 1, last))
            case key.Key_Home:
                self._showing.pin(0)
            case key.Key_End:
                self._showing.show_last()
            case _:
                super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            step = self.step_at(event.pos().x())
            QToolTip.showText(event.globalPos(), self.describe(step) or _HINT, self)
            return True
        return super().event(event)

    def describe(self, step: int) -> str:
        """A step in words: "step 9 of 20 · σ 0.812 · LOW noise · 0.74 s"."""
        if step >= len(self._run_state.steps):
            return ""
        event = self._run_state.steps[step]
        noise = f" · {NOISE[event.expert]}" if len(self._run_state.model.experts) > 1 else ""
        return f"step {step + 1} of {event.steps} · σ {event.sigma:.3f}{noise} · {event.seconds:.2f} s"

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._thumbnails.clear()

    def _on_started(self) -> None:
        self._thumbnails.clear()
        self.update()

    def _describe(self) -> None:
        step = self._showing.step
        self.setAccessibleDescription(_HINT if step is None else self.describe(step))
        self.update()


def _colour(expert: Expert) -> str:
    return theme().high if expert == "high" else theme().low
