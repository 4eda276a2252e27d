"""A lane does what hands expect of it, by mouse, keyboard and clipboard; every gesture is one step of undo."""

from dataclasses import replace
from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from catalog.curve import Curve, Point
from catalog.models import Expert
from engine.messages import Strip
from tests.qt.lane.bench import SHIFT, Bench
from ui.desk.lane import Lane
from ui.desk.lane_menu import lane_menu

CTRL = Qt.KeyboardModifier.ControlModifier
Key = Qt.Key


def test_a_double_click_pulls_the_faders_line_to_a_point(bench: Bench) -> None:
    bench.double_click(12, 1.5)
    points = bench.curve("low").points
    assert [p.strength for p in points] == [1.0, 1.5, 1.0]
    assert points[1].sigma == bench.sigma(12)
    assert bench.strip.high_curve is None
    assert bench.mix.mix.strips[0].low_curve == bench.curve("low")
    bench.mix.undo.undo()
    assert bench.strip.low_curve is None and not bench.mix.undo.canUndo()


def test_left_of_the_boundary_is_high(bench: Bench) -> None:
    bench.double_click(1, 0.5)
    assert bench.curve("high").at(bench.sigma(1)) == 0.5 and bench.strip.low_curve is None


def test_a_double_click_on_a_point_removes_it(bench: Bench) -> None:
    bench.give("low", (9, 0.5), (12, 1.0))
    bench.double_click(12, 1.0)
    assert [p.strength for p in bench.curve("low").points] == [0.5]
    bench.double_click(9, 0.5)
    assert bench.strip.low_curve is None


def test_a_drag_goes_by_steps_and_detents_and_is_one_step_of_undo(bench: Bench) -> None:
    bench.give("low", (9, 0.5), (14, 1.0))
    before = bench.curve("low")
    bench.drag(bench.at(9, 0.5), bench.at(11, 1.31) + QPoint(4, 0))
    point = bench.curve("low").points[0]
    assert point.sigma == bench.sigma(11) and point.strength == pytest.approx(1.3, abs=0.051)
    assert round(point.strength / 0.05, 6).is_integer()
    bench.mix.undo.undo()
    assert bench.curve("low") == before


def test_with_shift_a_drag_is_free_of_steps(bench: Bench) -> None:
    bench.give("low", (9, 0.5))
    bench.drag(bench.at(9, 0.5), bench.at(11, 0.5) + QPoint(5, -1), SHIFT)
    point = bench.curve("low").points[0]
    assert point.sigma not in bench.automation.axis.sigmas
    assert bench.sigma(12) < point.sigma < bench.sigma(11)
    assert round(point.strength * 100, 6).is_integer() and point.strength != 0.5


@pytest.mark.parametrize("modifier", [Qt.KeyboardModifier.NoModifier, SHIFT])
@pytest.mark.parametrize("far", [QPoint(-2000, 900), QPoint(2000, -900)])
def test_a_drag_stays_between_its_neighbours_and_within_reach(
    bench: Bench, modifier: Qt.KeyboardModifier, far: QPoint
) -> None:
    bench.give("low", (9, 0.5), (12, 0.5), (15, 0.5))
    bench.drag(bench.at(12, 0.5), far, modifier)
    points = bench.curve("low").points
    assert len(points) == 3 and all(a.sigma > b.sigma for a, b in pairwise(points))
    assert points[1].strength == (-2.0 if far.y() > 0 else 2.0)
    expected = {9: bench.sigma(10), 15: bench.sigma(14)}[9 if far.x() < 0 else 15]
    if modifier != SHIFT:
        assert points[1].sigma == expected


def test_a_point_stays_with_its_expert(bench: Bench) -> None:
    bench.give("high", (2, 0.5))
    bench.drag(bench.at(2, 0.5), bench.at(18, 0.5))
    axis = bench.automation.axis
    assert bench.curve("high").points[0].sigma == axis.sigmas[axis.border - 1]
    assert bench.strip.low_curve is None


@pytest.mark.parametrize(
    ("key", "modifier", "strength", "step"),
    [
        (Key.Key_Up, None, 0.55, 12), (Key.Key_Down, None, 0.45, 12), (Key.Key_Up, SHIFT, 0.51, 12),
        (Key.Key_Down, SHIFT, 0.49, 12), (Key.Key_PageUp, None, 0.75, 12), (Key.Key_PageDown, None, 0.25, 12),
        (Key.Key_Left, None, 0.5, 11), (Key.Key_Right, None, 0.5, 13),
    ],
)  # fmt: skip
def test_arrow_keys_move_the_point(
    bench: Bench, key: Qt.Key, modifier: Qt.KeyboardModifier | None, strength: float, step: int
) -> None:
    bench.give("low", (12, 0.5))
    bench.key(Key.Key_BracketRight)
    bench.key(key, modifier=modifier or Qt.KeyboardModifier.NoModifier)
    assert bench.curve("low").points == (Point(bench.sigma(step), pytest.approx(strength)),)
    bench.mix.undo.undo()
    assert bench.curve("low").points == (Point(bench.sigma(12), 0.5),)


def test_shift_and_an_arrow_leave_the_step_a_little(bench: Bench) -> None:
    bench.give("low", (12, 0.5))
    bench.key(Key.Key_BracketRight)
    bench.key(Key.Key_Right, modifier=SHIFT)
    assert bench.sigma(13) < bench.curve("low").points[0].sigma < bench.sigma(12)


def test_twenty_steps_there_and_back_end_where_they_began(bench: Bench) -> None:
    bench.give("low", (12, 0.5))
    bench.key(Key.Key_BracketRight, *[Key.Key_Up] * 20, *[Key.Key_Down] * 20)
    assert bench.curve("low").points[0].strength == 0.5


def test_brackets_go_through_both_curves(bench: Bench) -> None:
    bench.give("high", (0, 0.5), (2, 1.0))
    bench.give("low", (12, 0.0))
    seen = []
    for _ in range(4):
        bench.key(Key.Key_BracketRight)
        seen.append(bench.lane.points.selected)
    assert seen == [("high", 0), ("high", 1), ("low", 0), ("low", 0)]
    bench.key(Key.Key_BracketLeft)
    assert bench.lane.points.selected == ("high", 1)


def test_tab_goes_through_the_points_and_on(bench: Bench) -> None:
    bench.give("low", (9, 0.0), (12, 1.0))
    bench.key(Key.Key_BracketRight, Key.Key_Tab)
    assert bench.lane.points.selected == ("low", 1) and bench.lane.hasFocus()
    bench.key(Key.Key_Tab)
    assert not bench.lane.hasFocus()


def test_insert_puts_a_point_on_the_line(bench: Bench) -> None:
    bench.key(Key.Key_Insert)
    assert {p.strength for p in bench.curve("low").points} == {1.0}
    bench.give("low", (9, 0.0), (19, 1.0))
    before = bench.curve("low")
    bench.lane.points.selected = ("low", 0)
    bench.key(Key.Key_Insert)
    added = bench.curve("low").points[1]
    assert added.sigma == bench.sigma(10) and added.strength == pytest.approx(
        before.at(added.sigma), abs=1e-4
    )
    assert bench.lane.points.selected == ("low", 1)


def test_delete_removes_the_point_and_never_more(bench: Bench) -> None:
    bench.give("low", (9, 0.5))
    bench.key(Key.Key_BracketRight, Key.Key_Delete)
    assert bench.strip.low_curve is None
    bench.key(Key.Key_Delete, Key.Key_Backspace)
    assert len(bench.mix.strips) == 2


def test_what_is_no_key_of_the_lane_is_the_strips(bench: Bench) -> None:
    bench.give("low", (9, 0.5))
    bench.key(Key.Key_BracketRight)
    bench.key(Key.Key_Up, Key.Key_Down, modifier=Qt.KeyboardModifier.AltModifier)
    bench.key(Key.Key_M, Key.Key_F)
    assert bench.curve("low").points == (Point(bench.sigma(9), 0.5),)


def test_h_holds_and_lets_go(bench: Bench) -> None:
    bench.give("low", (9, 0.0), (13, 1.0))
    middle = bench.sigma(11)
    bench.key(Key.Key_BracketRight, Key.Key_H)
    assert bench.curve("low").at(middle) == 0.0
    bench.key(Key.Key_H)
    assert 0.0 < bench.curve("low").at(middle) < 1.0


def test_curves_are_copied_to_another_strip(bench: Bench, qtbot: QtBot) -> None:
    bench.give("high", (0, 0.5), (2, 1.0))
    bench.give("low", (12, 0.0))
    bench.key(Key.Key_C, modifier=CTRL)
    other = Lane(bench.ids[1], bench.mix, bench.automation)
    qtbot.addWidget(other)
    other.paste()
    strip = other.points.strip
    assert (strip.high_curve, strip.low_curve) == (bench.curve("high"), bench.curve("low"))
    bench.mix.undo.undo()
    assert other.points.strip.high_curve is None and bench.strip.high_curve is not None


def test_a_curve_of_either_expert_is_that_of_the_only_fader_elsewhere(bench: Bench, qtbot: QtBot) -> None:
    bench.give("low", (12, 0.25))
    copied = bench.curve("low")
    bench.key(Key.Key_C, modifier=CTRL)
    assert bench.mix.model is not None
    bench.mix.model = replace(bench.mix.model, experts=("high",))
    other = Lane(bench.ids[1], bench.mix, bench.automation)
    qtbot.addWidget(other)
    other.paste()
    assert other.points.strip.high_curve == other.points.strip.low_curve == copied


def test_an_empty_lane_copies_nothing_and_nonsense_is_not_pasted(bench: Bench) -> None:
    QGuiApplication.clipboard().setText("what is this")
    said: list[tuple[object, ...]] = []
    bench.automation.message.connect(lambda *message: said.append(message))
    bench.key(Key.Key_C, modifier=CTRL)
    bench.key(Key.Key_V, modifier=CTRL)
    assert bench.strip.high_curve is None and not bench.mix.undo.canUndo()
    assert said and said[0][0] == "refused"


def test_multipliers_are_pasted_from_the_top_and_copied_again(bench: Bench) -> None:
    QGuiApplication.clipboard().setText("1;0 0,0.5;1")
    bench.key(Key.Key_V, modifier=CTRL)
    first, second = bench.mix.strips
    assert (first.high, first.low) == (1, 0) and (second.low, second.low_curve) == (1, None)
    assert second.high_curve is not None and bench.mix.undo.count() == 1
    menu(bench)["Copy as Wan2GP multipliers"].trigger()
    assert QGuiApplication.clipboard().text() == "1;0 0,0.5;1"


def test_a_single_entry_is_for_the_strip_it_is_pasted_on(bench: Bench, qtbot: QtBot) -> None:
    other = Lane(bench.ids[1], bench.mix, bench.automation)
    qtbot.addWidget(other)
    QGuiApplication.clipboard().setText("0.3;0.4")
    other.paste()
    first, second = bench.mix.strips
    assert (first.high, first.low, second.high, second.low) == (1, 1, 0.3, 0.4)


def menu(bench: Bench) -> dict[str, object]:  # type: ignore[type-arg]
    made: QMenu = lane_menu(bench.lane, bench.mix, bench.automation)
    return {action.text().split("\t")[0]: action for action in made.actions() if action.text()}


def test_the_menu_does_what_keys_do(bench: Bench) -> None:
    bench.give("low", (9, 0.0), (12, 1.0))
    bench.lane.points.selected = ("low", 0)
    assert menu(bench)["Write what I played"].isEnabled() is False
    menu(bench)["Hold until the next point"].trigger()
    assert bench.curve("low").points[0].is_held
    assert menu(bench)["Draw a line to the next point"].isEnabled()
    menu(bench)["Remove the point"].trigger()
    assert len(bench.curve("low").points) == 1
    menu(bench)["Clear the curves"].trigger()
    assert bench.strip.low_curve is None
    assert not menu(bench)["Clear the curves"].isEnabled()


def test_a_moved_fader_takes_over_until_it_follows_again(bench: Bench) -> None:
    bench.give("low", (9, 0.0), (12, 1.0))
    curve = bench.curve("low")
    bench.mix.set_strength(bench.ids[0], "low", 0.7)
    assert bench.mix.mix.strips[0] == Strip(bench.ids[0], 1.0, 0.7)
    assert bench.strip.low_curve == curve
    menu(bench)["Follow the curves again"].trigger()
    assert bench.mix.mix.strips[0].low_curve == curve
    bench.mix.set_muted(bench.ids[0], True)
    assert bench.mix.mix.strips[0] == Strip(bench.ids[0], 0.0, 0.0)


def test_assistive_technology_hears_the_selected_point(bench: Bench) -> None:
    bench.give("low", (12, -0.5))
    bench.key(Key.Key_BracketRight)
    assert bench.lane.accessibleName() == "Curves of a"
    assert f"σ {bench.sigma(12):.3f}" in bench.lane.accessibleDescription()
    assert (
        "LOW 1 of 1" in bench.lane.accessibleDescription() and "−0.50" in bench.lane.accessibleDescription()
    )


def test_every_state_of_a_lane_looks_different(bench: Bench) -> None:
    seen = [picture(bench)]
    bench.give("low", (9, 0.0), (15, 1.5))
    seen.append(picture(bench))
    bench.key(Key.Key_BracketRight)
    seen.append(picture(bench))
    bench.key(Key.Key_H)
    seen.append(picture(bench))
    bench.lane.refresh(is_silent=True)
    seen.append(picture(bench))
    bench.lane.refresh(is_silent=False)
    bench.mix.set_strength(bench.ids[0], "low", 0.7)
    seen.append(picture(bench))
    assert len(set(seen)) == len(seen)


def picture(bench: Bench) -> bytes:
    return bytes(bench.lane.grab().toImage().constBits())


@pytest.mark.parametrize("expert", ["high", "low"])
def test_strengths_beyond_the_scale_are_on_the_lane(bench: Bench, expert: Expert) -> None:
    bench.mix.set_curve(bench.ids[0], expert, Curve((Point(0.9, 7.5), Point(0.1, -3.0))))
    ruler = bench.lane.ruler
    for _, point in bench.lane.points.all():
        assert ruler.area.contains(ruler.place(point))
