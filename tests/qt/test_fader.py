"""A fader does what hands expect of it, by mouse, keyboard, wheel and typing."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from ui.desk.fader import Fader, parse_strength
from ui.desk.fader_painter import number

LEFT, SHIFT = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier
NONE = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def fader(qtbot: QtBot) -> Fader:
    """A fader at 0 whose owner agrees to everything."""
    fader = Fader("HIGH", "high")
    fader.setAccessibleName("HIGH strength of neon, percent")
    qtbot.addWidget(fader)
    fader.moved.connect(fader.show_strength)
    fader.resize(320, 28)
    fader.show()
    fader.setFocus()
    return fader


def at(fader: Fader, strength: float) -> QPoint:
    return QPoint(fader.x_of(strength), 11)


def drag(fader: Fader, start: float, end: float, modifier: Qt.KeyboardModifier = NONE) -> None:
    QTest.mousePress(fader, LEFT, modifier, at(fader, start))
    for part in (0.3, 0.7, 1.0):
        QTest.mouseMove(fader, at(fader, start + (end - start) * part))
    QTest.mouseRelease(fader, LEFT, modifier, at(fader, end))


def test_drag_moves_by_detents(fader: Fader) -> None:
    drag(fader, 0, 0.81)
    assert fader.strength == pytest.approx(0.8)
    assert round(fader.strength / 0.05, 6).is_integer()


def test_drag_stops_at_the_ends(fader: Fader) -> None:
    drag(fader, 0, 9)
    assert fader.strength == 2
    drag(fader, 2, -9)
    assert fader.strength == -2


def test_shift_drag_is_fine_and_slow(fader: Fader, qtbot: QtBot) -> None:
    fader.show_strength(0.5)
    QTest.mousePress(fader, LEFT, SHIFT, at(fader, 0.5))
    move = at(fader, 0.8)
    event = QMouseEvent(
        QEvent.Type.MouseMove, QPointF(move), QPointF(move), Qt.MouseButton.NoButton, LEFT, SHIFT
    )
    QApplication.sendEvent(fader, event)
    assert 0.5 < fader.strength < 0.6
    assert round(fader.strength * 100, 6).is_integer()


def test_click_on_the_groove_goes_there(fader: Fader) -> None:
    QTest.mouseClick(fader, LEFT, NONE, at(fader, -1.5))
    assert fader.strength == -1.5


def test_double_click_is_as_trained(fader: Fader) -> None:
    gestures: list[None] = []
    fader.began.connect(lambda: gestures.append(None))
    QTest.mouseClick(fader, LEFT, NONE, at(fader, -1.5))
    QTest.mouseDClick(fader, LEFT, NONE, at(fader, -1.5))
    assert fader.strength == 1.0
    assert len(gestures) == 1


@pytest.mark.parametrize(
    ("key", "modifier", "expected"),
    [
        (Qt.Key.Key_Right, NONE, 0.55),
        (Qt.Key.Key_Up, NONE, 0.55),
        (Qt.Key.Key_Left, NONE, 0.45),
        (Qt.Key.Key_Down, NONE, 0.45),
        (Qt.Key.Key_Right, SHIFT, 0.51),
        (Qt.Key.Key_Left, SHIFT, 0.49),
        (Qt.Key.Key_PageUp, NONE, 0.75),
        (Qt.Key.Key_PageDown, NONE, 0.25),
        (Qt.Key.Key_Home, NONE, -2.0),
        (Qt.Key.Key_End, NONE, 2.0),
    ],
)
def test_keys(fader: Fader, key: Qt.Key, modifier: Qt.KeyboardModifier, expected: float) -> None:
    fader.show_strength(0.5)
    QTest.keyClick(fader, key, modifier)
    assert fader.strength == pytest.approx(expected)


def test_hundred_steps_there_and_back_end_where_they_began(fader: Fader) -> None:
    for _ in range(20):
        QTest.keyClick(fader, Qt.Key.Key_Right)
    assert fader.strength == 1.0
    for _ in range(20):
        QTest.keyClick(fader, Qt.Key.Key_Left)
    assert fader.strength == 0.0


def wheel(fader: Fader, delta: int) -> QWheelEvent:
    place = QPointF(at(fader, 0))
    event = QWheelEvent(
        place,
        QPointF(fader.mapToGlobal(place.toPoint())),
        QPoint(),
        QPoint(0, delta),
        Qt.MouseButton.NoButton,
        NONE,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(fader, event)
    return event


def test_wheel_only_with_focus(fader: Fader) -> None:
    fader.clearFocus()
    assert not wheel(fader, 120).isAccepted()
    assert fader.strength == 0
    fader.setFocus()
    assert wheel(fader, 120).isAccepted()
    assert fader.strength == pytest.approx(0.05)


def type_into(fader: Fader, text: str, key: Qt.Key = Qt.Key.Key_Return) -> None:
    QTest.mouseClick(fader, LEFT, NONE, fader.value_rect().center())
    editor = fader.findChild(QLineEdit)
    assert editor is not None and editor.isVisible()
    editor.setText(text)
    QTest.keyClick(editor, key)
    assert not editor.isVisible()


@pytest.mark.parametrize(
    ("text", "expected"), [("3.5", 3.5), ("-7", -7.0), ("0,25", 0.25), ("−1", -1.0), ("+.5", 0.5)]
)
def test_typed_values_may_go_beyond(fader: Fader, text: str, expected: float) -> None:
    type_into(fader, text)
    assert fader.strength == expected
    assert fader.hasFocus()


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e999", "101", "", "loud", "1.0.0", "0x10"])
def test_typed_nonsense_keeps_the_last_good_value(fader: Fader, text: str) -> None:
    fader.show_strength(0.7)
    type_into(fader, text)
    assert fader.strength == 0.7


def test_escape_leaves_the_value(fader: Fader) -> None:
    fader.show_strength(0.7)
    type_into(fader, "1.9", Qt.Key.Key_Escape)
    assert fader.strength == 0.7


def test_a_digit_begins_typing(fader: Fader) -> None:
    QTest.keyClick(fader, Qt.Key.Key_1)
    editor = fader.findChild(QLineEdit)
    assert editor is not None and editor.text() == "1"
    QTest.keyClicks(editor, ".25")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    assert fader.strength == 1.25


def test_what_was_typed_beyond_comes_back_by_key_and_drag(fader: Fader) -> None:
    fader.show_strength(3.5)
    QTest.keyClick(fader, Qt.Key.Key_Right)
    assert fader.strength == 3.5
    QTest.keyClick(fader, Qt.Key.Key_Left)
    assert fader.strength == pytest.approx(3.45)
    drag(fader, 2, 1)
    assert fader.strength == pytest.approx(1, abs=0.05)


def test_assistive_technology_sees_a_slider(fader: Fader) -> None:
    seen = QAccessible.queryAccessibleInterface(fader)
    assert seen.role() == QAccessible.Role.Slider
    fader.show_strength(0.8)
    value = seen.valueInterface()
    assert value.currentValue() == 80
    value.setCurrentValue(120)
    assert fader.strength == pytest.approx(1.2)


def test_an_owner_that_declines_keeps_the_value(qtbot: QtBot) -> None:
    fader = Fader("LOW", "low")
    qtbot.addWidget(fader)
    with qtbot.waitSignal(fader.moved) as asked:
        QTest.keyClick(fader, Qt.Key.Key_Right)
    assert asked.args == [0.05]
    assert fader.strength == 0


@pytest.mark.parametrize(
    ("strength", "text"), [(0, "off"), (1, "+1.00"), (-1.25, "−1.25"), (0.125, "+0.125"), (-100, "−100.00")]
)
def test_numbers_are_written_with_their_sign(strength: float, text: str) -> None:
    assert number(strength) == text


def test_parsing_refuses_what_is_no_strength() -> None:
    assert parse_strength("-100") == -100
    assert parse_strength("100.01") is None


@pytest.mark.parametrize("look", [(True, None, False), (False, 1.0, False), (True, -2.0, True)])
def test_every_look_paints(
    fader: Fader, look: tuple[bool, float | None, bool], paint: Callable[[Fader], bytes]
) -> None:
    before = paint(fader)
    fader.show_strength(2.5)
    fader.show_hearing(*look)
    assert paint(fader) != before


@pytest.fixture
def paint() -> Callable[[Fader], bytes]:
    return lambda fader: bytes(fader.grab().toImage().constBits())
