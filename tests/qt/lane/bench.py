"""A lane on a desk, with hands for it."""

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from catalog.curve import Curve, Point
from catalog.models import Expert
from ui.desk.lane import Lane
from ui.state.automation import Automation
from ui.state.mix import MixState
from ui.state.run import RunState
from ui.state.strip import StripState

LEFT = Qt.MouseButton.LeftButton
NONE, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier


@dataclass
class Bench:
    """A lane with all that it works on."""

    lane: Lane
    mix: MixState
    automation: Automation
    run: RunState
    ids: tuple[str, str]

    @property
    def strip(self) -> StripState:
        return self.lane.points.strip

    def curve(self, expert: Expert) -> Curve:
        curve = self.strip.curve(expert)
        assert curve is not None
        return curve

    def sigma(self, step: int) -> float:
        return self.automation.axis.sigmas[step]

    def give(self, expert: Expert, *points: tuple[int, float]) -> None:
        """A curve with points at these steps."""
        curve = Curve(tuple(Point(self.sigma(step), strength) for step, strength in points))
        self.mix.begin_gesture()
        self.mix.set_curve(self.ids[0], expert, curve)

    def at(self, step: int, strength: float) -> QPoint:
        """Where a step and a strength are on the lane."""
        ruler = self.lane.ruler
        return QPointF(ruler.x_of(self.sigma(step)), ruler.y_of(strength)).toPoint()

    def double_click(self, step: int, strength: float) -> None:
        QTest.mouseClick(self.lane, LEFT, NONE, self.at(step, strength))
        QTest.mouseDClick(self.lane, LEFT, NONE, self.at(step, strength))
        QTest.mouseRelease(self.lane, LEFT, NONE, self.at(step, strength))

    def drag(self, start: QPoint, end: QPoint, modifier: Qt.KeyboardModifier = NONE) -> None:
        QTest.mousePress(self.lane, LEFT, modifier, start)
        for part in (0.25, 0.6, 1.0):
            place = QPointF(start) + (QPointF(end) - QPointF(start)) * part
            event = QMouseEvent(
                QEvent.Type.MouseMove,
                place,
                self.lane.mapToGlobal(place),
                Qt.MouseButton.NoButton,
                LEFT,
                modifier,
            )
            QApplication.sendEvent(self.lane, event)
        QTest.mouseRelease(self.lane, LEFT, modifier, end)

    def key(self, *keys: Qt.Key, modifier: Qt.KeyboardModifier = NONE) -> None:
        for key in keys:
            QTest.keyClick(self.lane, key, modifier)
