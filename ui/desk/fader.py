"""A horizontal fader: centre at 0, as trained at 1, value typed on click."""

import math

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import (
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractSlider, QLineEdit, QSizePolicy, QWidget

from catalog.models import Expert
from ui.desk.fader_painter import END, LEVEL, VALUE, FaderLook, groove, paint
from ui.desk.meter import words
from ui.state.hearing import Reading
from ui.state.strip import LIMIT
from ui.theme import font

REACH = 2.0
STEP, FINE, LEAP = 0.05, 0.01, 0.25
KEYS = {
    Qt.Key.Key_Left: -STEP,
    Qt.Key.Key_Down: -STEP,
    Qt.Key.Key_Right: STEP,
    Qt.Key.Key_Up: STEP,
    Qt.Key.Key_PageDown: -LEAP,
    Qt.Key.Key_PageUp: LEAP,
}
TIP = (
    "Drag, or arrow keys ±0.05 (Shift: ±0.01), Page keys ±0.25, Home and End for the ends.\n"
    "Double-click for 1.00, as trained. Click the number or press Enter to type one, also beyond ±2."
)


AUTOMATED = (
    "Follows its curve. Moving it takes over; the curve waits until F on the strip lets it follow again."
)


class Fader(QAbstractSlider):
    """Shows a strength and asks for another: `moved` says which, `began` that a new gesture begins.

    It is a QAbstractSlider in hundredths, so that assistive technology sees a slider; the strength itself
    is exact. The owner answers `moved` with `show_strength`.
    """

    moved = Signal(float)
    began = Signal()

    def __init__(self, label: str, expert: Expert, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = FaderLook(label, expert)
        self._raw = 0.0
        self._last_x: int | None = None
        self._editor: QLineEdit | None = None
        self.setOrientation(Qt.Orientation.Horizontal)
        self.setRange(round(-REACH * 100), round(REACH * 100))
        self.setSingleStep(round(STEP * 100))
        self.setPageStep(round(LEAP * 100))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self.setToolTip(TIP)
        self.valueChanged.connect(self._on_value)

    # What it shows

    @property
    def strength(self) -> float:
        """The strength shown."""
        return self._look.strength

    def show_strength(self, strength: float) -> None:
        """Show this strength; nothing is asked for."""
        self._look.strength = strength
        hundredths = round(strength * 100)
        blocker = QSignalBlocker(self)
        self.setRange(min(round(-REACH * 100), hundredths), max(round(REACH * 100), hundredths))
        self.setValue(hundredths)
        blocker.unblock()
        self.update()

    def show_hearing(self, is_heard: bool, applied: float | None, is_silent: bool) -> None:
        """Show whether the last step heard this strength, what it applied, and whether mute or solo win."""
        self._look.is_heard, self._look.applied, self._look.is_silent = is_heard, applied, is_silent
        self.update()

    def show_automated(self, is_automated: bool) -> None:
        """Show whether the strength shown is that of a curve, which a moved fader takes over from."""
        self._look.is_automated = is_automated
        self._explain()
        self.update()

    def show_meter(self, reading: Reading | None) -> None:
        """Show what the last step measured of this fader; None before there was one."""
        if reading != self._look.reading:
            self._look.reading = reading
            self.setAccessibleDescription(words(reading))
            self._explain()
            self.update()

    def _explain(self) -> None:
        said = (words(self._look.reading), AUTOMATED if self._look.is_automated else "", TIP)
        self.setToolTip("\n".join(filter(None, said)))

    def sizeHint(self) -> QSize:
        return QSize(240, 32)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, 32)

    def paintEvent(self, event: QPaintEvent) -> None:
        self._look.has_focus = self.hasFocus()
        painter = QPainter(self)
        paint(painter, self.rect(), self._look)

    # Mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return event.ignore()
        place = event.position().toPoint()
        if self.value_rect().contains(place):
            return self.edit()
        if place.x() < self.groove().left() - 8:
            return None
        self.began.emit()
        self._last_x, self._raw = place.x(), max(-REACH, min(REACH, self.strength))
        if abs(place.x() - self.x_of(self._raw)) > 8:
            self._raw = self.strength_at(place.x())
            self._ask_dragged(event.modifiers())
        return None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        x = event.position().toPoint().x()
        self._set_cursor(event.position().toPoint())
        if self._last_x is None:
            return
        gain = 0.2 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1.0
        self._raw += (x - self._last_x) * 2 * REACH / self.groove().width() * gain
        self._last_x = x
        self._ask_dragged(event.modifiers())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._last_x = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        # The first click of the two has moved the fader; both are one gesture, so one undo takes it back.
        if not self.value_rect().contains(event.position().toPoint()):
            self._last_x = None
            self._ask(1.0)

    def wheelEvent(self, event: QWheelEvent) -> None:
        turned = event.angleDelta().y() or event.angleDelta().x()
        if not self.hasFocus() or not turned:
            return event.ignore()
        self._ask(self.strength + math.copysign(_fine_or(STEP, event.modifiers()), turned))
        event.accept()
        return None

    # Keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        target = self._target(key, event.modifiers())
        if target is not None:
            if not event.isAutoRepeat():
                self.began.emit()
            self._ask(target)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self.edit()
        elif event.text() and event.text() in "0123456789.,-+−" and not event.modifiers():
            self.edit(event.text())
        else:
            event.ignore()

    def _target(self, key: Qt.Key, modifiers: Qt.KeyboardModifier) -> float | None:
        if modifiers & ~(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier):
            return None
        if key in KEYS:
            step = KEYS[key]
            is_leap = abs(step) == LEAP
            size = LEAP if is_leap else _fine_or(STEP, modifiers)
            return self.strength + math.copysign(size, step)
        return {Qt.Key.Key_Home: -REACH, Qt.Key.Key_End: REACH}.get(key)

    # Typing

    def edit(self, text: str = "") -> None:
        """Open the value for typing; Enter takes it, Esc leaves it."""
        if self._editor is None:
            self._editor = self._make_editor()
        self._editor.setText(text or f"{self.strength:.2f}")
        self._editor.setGeometry(self.value_rect().adjusted(-4, 2, 0, -2))
        self._editor.show()
        self._editor.setFocus()
        if not text:
            self._editor.selectAll()

    def _make_editor(self) -> QLineEdit:
        editor = QLineEdit(self)
        editor.setFont(font(12, is_tabular=True))
        editor.setAlignment(Qt.AlignmentFlag.AlignRight)
        editor.setStyleSheet("padding: 0 2px; min-height: 18px; border-radius: 4px;")
        editor.setAccessibleName(f"{self._look.label} strength, typed")
        editor.setToolTip("Enter takes the number, Esc leaves it")
        editor.editingFinished.connect(self._take_typed)
        editor.installEventFilter(self)
        return editor

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keeps Enter and Esc in the editor: the fader would open it again, and Esc would cancel the run."""
        if not isinstance(event, QKeyEvent) or event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            return False
        if event.key() not in (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            return False
        event.accept()
        if event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Escape:
            self._close_editor()
        elif event.type() == QEvent.Type.KeyPress:
            self._take_typed()
        return True

    def _take_typed(self) -> None:
        if self._editor is None or self._editor.isHidden():
            return
        strength = parse_strength(self._editor.text())
        self._close_editor()
        if strength is not None and strength != self.strength:
            self.began.emit()
            self.moved.emit(strength)

    def _close_editor(self) -> None:
        if self._editor is not None and not self._editor.isHidden():
            had_focus = self._editor.hasFocus()
            self._editor.hide()
            if had_focus:
                self.setFocus()

    # Places

    def groove(self) -> QRect:
        """Where the handle may go."""
        return groove(self.rect(), self._look).toRect()

    def value_rect(self) -> QRect:
        """Where the number is."""
        return QRect(self.width() - VALUE - END, 0, VALUE, round(LEVEL * 2))

    def x_of(self, strength: float) -> int:
        """Where the handle is at this strength."""
        groove = self.groove()
        return round(groove.left() + (strength + REACH) / (2 * REACH) * groove.width())

    def strength_at(self, x: int) -> float:
        """The strength at this place, not yet on a detent."""
        return (x - self.groove().left()) / self.groove().width() * 2 * REACH - REACH

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._close_editor()

    def _set_cursor(self, place: QPoint) -> None:
        over = self.value_rect().contains(place) and self._last_x is None
        self.setCursor(Qt.CursorShape.IBeamCursor if over else Qt.CursorShape.ArrowCursor)

    # Asking

    def _ask_dragged(self, modifiers: Qt.KeyboardModifier) -> None:
        step = _fine_or(STEP, modifiers)
        self._ask(round(max(-REACH, min(REACH, self._raw)) / step) * step)

    def _ask(self, strength: float) -> None:
        """Ask for a strength within reach; one that was typed beyond it may stay where it is."""
        least, most = min(-REACH, self.strength), max(REACH, self.strength)
        strength = round(max(least, min(most, strength)), 4) + 0.0
        if strength != self.strength:
            self.moved.emit(strength)

    def _on_value(self, hundredths: int) -> None:
        if hundredths != round(self.strength * 100):  # assistive technology has set it
            self.began.emit()
            self.moved.emit(hundredths / 100)


def _fine_or(step: float, modifiers: Qt.KeyboardModifier) -> float:
    return FINE if modifiers & Qt.KeyboardModifier.ShiftModifier else step


def parse_strength(text: str) -> float | None:
    """The number that was typed, or None when it is not one that a strength can be."""
    try:
        value = float(text.strip().replace(",", ".").replace("−", "-"))
    except ValueError:
        return None
    return value + 0.0 if math.isfinite(value) and abs(value) <= LIMIT else None
