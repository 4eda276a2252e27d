"""A strip's automation lane: both experts' curves over the run, edited with the mouse and the keyboard."""

from collections.abc import Callable

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolButton, QWidget

from catalog.models import Expert
from ui.desk import lane_clipboard
from ui.desk.lane_edit import nearest_step, room, step_beside
from ui.desk.lane_menu import lane_menu
from ui.desk.lane_painter import GUTTER, LABELS, LaneLook, paint
from ui.desk.lane_points import LanePoints, Selected
from ui.desk.lane_ruler import Ruler, reach_of
from ui.state.automation import Automation
from ui.state.mix import MixState
from ui.theme import icon, theme, watcher

STEP, FINE, LEAP = 0.05, 0.01, 0.25
NEAR = 9.0
TIP = (
    "Strength over the run, from its first step to its last. Double-click adds or removes a point; drag one\n"
    "to move it, with Shift finely and off the steps. Tab or [ ] choose a point, arrow keys move it,\n"
    "Insert adds one, Delete removes it, H holds its strength or draws a line.\n"
    "Ctrl+C and Ctrl+V copy the curves to another strip.\n"
    "A fader that you move takes over from its curve; F lets it follow again."
)
_UP = {
    Qt.Key.Key_Up: STEP,
    Qt.Key.Key_Down: -STEP,
    Qt.Key.Key_PageUp: LEAP,
    Qt.Key.Key_PageDown: -LEAP,
}
_ALONG = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
_SHIFT = Qt.KeyboardModifier.ShiftModifier
_ALT = Qt.KeyboardModifier.AltModifier
_CTRL = Qt.KeyboardModifier.ControlModifier
_TABS = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)


class Lane(QWidget):
    """Shows the curves of one strip of a MixState; one gesture is one step of undo."""

    def __init__(self, id: str, mix: MixState, automation: Automation, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._mix, self._automation = mix, automation
        self.points = LanePoints(id, mix, automation)
        self._grip: QPointF | None = None
        self._is_silent = False
        self._reach = reach_of(())
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self.setToolTip(TIP)
        self._more = QToolButton(self)
        self._more.setProperty("quiet", "true")
        self._more.setProperty("compact", "true")
        self._more.setToolTip("What can be done with the curves")
        self._more.setCursor(Qt.CursorShape.ArrowCursor)
        self._more.clicked.connect(lambda: self._open_menu(self._more.mapToGlobal(QPoint(0, LABELS))))
        watcher().changed.connect(self._wear)
        self._wear()
        self.refresh()

    # Showing

    @property
    def ruler(self) -> Ruler:
        """Where sigmas and strengths are now."""
        area = QRectF(GUTTER, 4, self.width() - GUTTER - 6, self.height() - LABELS - 8)
        return Ruler(self._automation.axis, area, self._reach)

    def tab_chain(self) -> tuple[QWidget, ...]:
        """What Tab visits, in order."""
        return self, self._more

    def refresh(self, is_silent: bool | None = None) -> None:
        """Show the strip and the run as they are."""
        if self._mix.strip(self.points.id) is None:
            return
        self._is_silent = self._is_silent if is_silent is None else is_silent
        self.points.check_selection()
        if self._grip is None:  # a scale that changes under a drag would run away from it
            self._reach = reach_of(self.points.strengths())
        name = self.points.strip.name
        self.setAccessibleName(f"Curves of {name}")
        self._more.setAccessibleName(f"What can be done with the curves of {name}")
        self.setAccessibleDescription(self.points.readout() or TIP)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, 116)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, 116)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._mix.strip(self.points.id) is not None:
            painter = QPainter(self)
            paint(painter, self._look())
            painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._more.setGeometry(self.width() - 28, self.height() - LABELS - 2, 22, LABELS)

    def _look(self) -> LaneLook:
        strip, experts = self.points.strip, self._mix.experts
        return LaneLook(
            ruler=self.ruler,
            experts=experts,
            curves=self.points.curves(),
            faders={expert: strip.strength(expert) for expert in experts},
            by_hand=strip.by_hand,
            is_replay=self._automation.replays(strip),
            played=self._automation.played(strip.id),
            playhead=self._automation.playhead,
            selected=self.points.selected,
            readout=self.points.readout(),
            is_silent=self._is_silent,
            has_focus=self.hasFocus(),
        )

    def _wear(self) -> None:
        self._more.setIcon(icon("more", theme().secondary))
        self.update()

    def _select(self, selected: Selected | None) -> None:
        self.points.selected = selected
        self.refresh()

    # Mouse

    def point_at(self, place: QPointF) -> Selected | None:
        """The point under a place."""
        ruler, near = self.ruler, list[tuple[float, Selected]]()
        for selected, point in self.points.all():
            way = ruler.place(point) - place
            near.append(((way.x() ** 2 + way.y() ** 2) ** 0.5, selected))
        distance, found = min(near, default=(NEAR, None))
        return found if distance < NEAR else None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self._select(self.point_at(event.position()))
        if (point := self.points.point) is not None:
            self._mix.begin_gesture()
            self._grip = event.position() - self.ruler.place(point)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grip is None or self.points.selected is None:
            is_over = self.point_at(event.position()) is not None
            self.setCursor(Qt.CursorShape.SizeAllCursor if is_over else Qt.CursorShape.CrossCursor)
            return
        expert, index = self.points.selected
        limits = room(self.points.curves()[expert], index, self.points.axis, expert)
        place = event.position() - self._grip
        self.points.move(*self._wanted(place, bool(event.modifiers() & _SHIFT), expert, limits))
        self.refresh()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grip = None
        self.refresh()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._grip = None
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self.points.selected = self.point_at(event.position())
        if self.points.selected is not None:
            self.points.remove()
        else:
            self._add_at(event.position(), bool(event.modifiers() & _SHIFT))
        self.refresh()

    def _add_at(self, place: QPointF, is_fine: bool) -> None:
        ruler = self.ruler
        at_step = ruler.axis.sigmas[ruler.step_at(place.x())]
        expert = self.points.expert_at(ruler.sigma_at(place.x()) if is_fine else at_step)
        sigma, strength = self._wanted(place, is_fine, expert, ruler.axis.zone(expert))
        self.points.add(sigma, min(max(strength, self._reach[0]), self._reach[1]))

    def _wanted(
        self, place: QPointF, is_fine: bool, expert: Expert, limits: tuple[float, float]
    ) -> tuple[float, float]:
        """What a place means: a step and a detent of strength, or with Shift what is exactly there."""
        ruler, unit, (least, most) = self.ruler, FINE if is_fine else STEP, limits
        sigma = ruler.sigma_at(place.x())
        on_step = None if is_fine else nearest_step(ruler.axis, expert, sigma, least, most)
        sigma = min(max(sigma, least), most) if on_step is None else on_step
        return sigma, round(ruler.strength_at(place.y()) / unit) * unit

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        place, point = event.globalPos(), self.points.point
        if event.reason() == QContextMenuEvent.Reason.Mouse:
            self._select(self.point_at(QPointF(event.pos())) or self.points.selected)
        elif point is not None:
            place = self.mapToGlobal(self.ruler.place(point).toPoint())
        self._open_menu(place)

    def _open_menu(self, place: QPoint) -> None:
        lane_menu(self, self._mix, self._automation).popup(place)

    # Keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if (does := self._command(key, event.modifiers())) is not None:
            does()
        elif (key in _UP or key in _ALONG) and not event.modifiers() & (_ALT | _CTRL):
            if self.points.point is None:
                self.points.step(_ALONG.get(key, 1))
            else:
                self._nudge(key, event)
        else:
            return super().keyPressEvent(event)
        self.refresh()
        return None

    def _command(self, key: Qt.Key, modifiers: Qt.KeyboardModifier) -> Callable[[], object] | None:
        """What a key does that moves nothing."""
        if modifiers & _CTRL:
            return {Qt.Key.Key_C: self.copy, Qt.Key.Key_V: self.paste}.get(key)
        return {
            Qt.Key.Key_BracketLeft: lambda: self.points.step(-1),
            Qt.Key.Key_BracketRight: lambda: self.points.step(1),
            Qt.Key.Key_Insert: self.points.add_beside,
            Qt.Key.Key_Plus: self.points.add_beside,
            Qt.Key.Key_Delete: self.points.remove,
            Qt.Key.Key_Backspace: self.points.remove,
            Qt.Key.Key_H: self.points.toggle_held,
        }.get(key)

    def _nudge(self, key: Qt.Key, event: QKeyEvent) -> None:
        """Move the selected point by a key."""
        point, is_fine = self.points.point, bool(event.modifiers() & _SHIFT)
        assert point is not None
        if not event.isAutoRepeat():
            self._mix.begin_gesture()
        if key in _ALONG:
            self.points.move(self._sigma_beside(_ALONG[key], is_fine), point.strength)
        else:
            by = _UP[key] / STEP * FINE if is_fine and abs(_UP[key]) == STEP else _UP[key]
            self.points.move(point.sigma, point.strength + by)

    def _sigma_beside(self, way: int, is_fine: bool) -> float:
        """The sigma of the step beside the selected point, or with Shift an eighth of the way there."""
        point, selected, ruler = self.points.point, self.points.selected, self.ruler
        assert point is not None and selected is not None
        if is_fine:
            return ruler.sigma_at(ruler.x_of(point.sigma) + way * ruler.cell / 8)
        beside = step_beside(ruler.axis, selected[0], point.sigma, way)
        return point.sigma if beside is None else beside

    def focusNextPrevChild(self, next: bool) -> bool:
        """Tab goes through the points before it leaves the lane."""
        if self.hasFocus() and self.points.selected is not None and self.points.step(1 if next else -1):
            self.refresh()
            return True
        return super().focusNextPrevChild(next)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() in _TABS:
            self.points.selected = None
            self.points.step(1 if event.reason() == Qt.FocusReason.TabFocusReason else -1)
        self.refresh()

    # Copying

    def copy(self) -> None:
        """Put the strip's curves on the clipboard."""
        lane_clipboard.copy(self.points.strip)

    def paste(self) -> None:
        """Give the strip the curves on the clipboard, or play the multipliers that are there."""
        lane_clipboard.paste(self.points.strip, self._mix, self._automation)
