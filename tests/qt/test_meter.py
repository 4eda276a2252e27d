"""A meter under each fader shows what the last step measured, and says when a fader does nothing."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolTip
from pytestqt.qtbot import QtBot

from catalog.coverage import Coverage
from catalog.curve import Curve, Point
from catalog.models import Expert, find_model
from engine.gauge import Cell, Gauge
from tests.fakes import FakeSession
from ui.app import Program
from ui.coverage.heat_map import HeatMap
from ui.coverage.window import CoverageWindow
from ui.deflection import DARK, deflection
from ui.desk.fader import Fader
from ui.desk.meter_notice import MeterNotice
from ui.desk.strip import StripView
from ui.state.hearing import Reading
from ui.theme import theme, watcher

LORA = Path("/loras/halo.safetensors")
LOUD = Gauge((Cell("blocks.0", "attn1.to_q", 0.8, 6.5), Cell("other", "head", 0.4)), 0.8, 0.12)


@pytest.fixture
def fader(qtbot: QtBot) -> Fader:
    fader = Fader("HIGH", "high")
    qtbot.addWidget(fader)
    fader.resize(320, 28)
    fader.show()
    return fader


def lit(fader: Fader) -> int:
    """How many pixels of the meter's line are in the expert's colour, held or live."""
    image, ground = fader.grab().toImage(), QColor(theme().line)
    y, groove = 25, fader.groove()
    colours = (image.pixelColor(x, y) for x in range(groove.left() + 2, groove.right() - 1))
    return sum(colour != ground for colour in colours)


@pytest.mark.parametrize("choice", ["dark", "light"])
def test_more_is_longer_and_a_placebo_is_dark(fader: Fader, choice: str) -> None:
    watcher().choose("dark" if choice == "dark" else "light")
    shown = []
    for ratio in (0.0, DARK, 0.01, 0.1, 0.5, 1.0, 30.0):
        fader.show_meter(Reading(ratio, 1.0, True))
        shown.append(lit(fader))
    watcher().choose("system")
    assert shown[0] == shown[1] == 0
    assert shown == sorted(shown) and len(set(shown[1:6])) == 5
    assert shown[5] == shown[6]


def test_what_is_held_is_dimmer_than_what_is_heard(fader: Fader) -> None:
    colours = []
    for is_live in (True, False):
        fader.show_meter(Reading(0.5, 1.0, is_live))
        colours.append(fader.grab().toImage().pixelColor(fader.groove().left() + 20, 25))
    assert colours[0] == QColor(theme().high) and colours[1] != colours[0]


@pytest.mark.parametrize(
    ("reading", "said"),
    [
        (Reading(0.154, 1.0, True), "adds 15 %"),
        (Reading(0.004, 1.0, False), "added in its last step 0.4 %"),
        (Reading(0.00001, 1.0, True), "under 0.1 %"),
        (Reading(0.0, 0.0, True), "silent"),
    ],
)
def test_it_is_also_said_in_words(fader: Fader, reading: Reading, said: str) -> None:
    fader.show_meter(reading)
    assert said in fader.accessibleDescription() and said in fader.toolTip()
    fader.show_meter(None)
    assert fader.accessibleDescription() == "" and "Meter" not in fader.toolTip()


def test_three_decades_are_shown() -> None:
    places = [deflection(ratio) for ratio in (0.0, 0.001, 0.01, 0.1, 1.0, 7.0)]
    assert places == pytest.approx([0, 0, 1 / 3, 2 / 3, 1, 1])


def strip_of(program: Program) -> StripView:
    return program.window.desk.views[-1]


def numbers_of(program: Program) -> MeterNotice:
    found = strip_of(program).findChild(MeterNotice)
    assert isinstance(found, MeterNotice)
    return found


def faders_of(program: Program) -> list[Fader]:
    return strip_of(program).findChildren(Fader)


@pytest.fixture
def place(program: Program, qtbot: QtBot) -> Callable[[], str]:
    """Put the file on the desk and wait until it is attached."""

    def placed() -> str:
        with qtbot.waitSignal(program.bridge.adapter_attached):
            id = program.mix.add(LORA)
        return id

    return placed


@pytest.fixture
def let_go(program: Program, session: FakeSession, qtbot: QtBot) -> Callable[[], Iterator[Expert]]:
    """Let one step go after the other, and say whose each was."""

    def steps() -> Iterator[Expert]:
        while True:
            with qtbot.waitSignal(program.bridge.step_finished) as step:
                session.steps.put(None)
            yield step.args[0].expert

    return steps


def test_the_meters_follow_the_run_and_hold(
    program: Program,
    session: FakeSession,
    qtbot: QtBot,
    place: Callable[[], str],
    let_go: Callable[[], Iterator[Expert]],
) -> None:
    session.ratios[LORA.name] = 0.2
    id = place()
    assert not any(fader.accessibleDescription() for fader in faders_of(program))
    program.mix.set_strength(id, "low", 0.5)
    program.run.generate()
    high, low = faders_of(program)
    for expert in let_go():
        if expert == "low":
            break
        assert "adds 20 %" in high.accessibleDescription() and not low.accessibleDescription()
    assert "added in its last step 20 %" in high.accessibleDescription()
    assert "adds 10 %" in low.accessibleDescription()
    with qtbot.waitSignal(program.bridge.run_finished):
        session.is_free = True
    assert "added in its last step 10 %" in low.accessibleDescription()
    assert not numbers_of(program).text
    with qtbot.waitSignal(program.bridge.model_loaded):
        program.bridge.load_model("demo")
    assert not any(fader.accessibleDescription() for fader in faders_of(program))


def test_a_new_run_holds_the_meters_until_it_has_measured(
    program: Program, session: FakeSession, qtbot: QtBot, place: Callable[[], str]
) -> None:
    session.ratios[LORA.name] = 1e-5
    session.is_free = True
    id = place()
    with qtbot.waitSignal(program.bridge.run_finished):
        program.run.generate()
    said, height = numbers_of(program).text, strip_of(program).height()
    session.is_free = False
    program.mix.set_strength(id, "high", 0.9)
    with qtbot.waitSignal(program.bridge.run_started):
        program.run.generate()
    assert said and (numbers_of(program).text, strip_of(program).height()) == (said, height)


def test_a_placebo_is_named_and_forgotten_when_its_faders_are_down(
    program: Program, session: FakeSession, qtbot: QtBot, place: Callable[[], str]
) -> None:
    session.ratios[LORA.name] = 1e-5
    session.is_free = True
    id = place()
    program.mix.set_strength(id, "high", 1.35)
    height = strip_of(program).height()
    with qtbot.waitSignal(program.bridge.run_finished):
        program.run.generate()
    assert numbers_of(program).text == "Fader up, meter dark: no measurable effect at +1.35."
    assert strip_of(program).height() > height
    for expert in ("high", "low"):
        program.mix.set_strength(id, expert, 0.1)
    assert not numbers_of(program).text


def test_nothing_is_said_before_every_fader_that_is_up_was_measured(
    program: Program,
    session: FakeSession,
    place: Callable[[], str],
    let_go: Callable[[], Iterator[Expert]],
) -> None:
    session.ratios[LORA.name] = 1e-5
    place()
    program.run.generate()
    for expert in let_go():
        assert bool(numbers_of(program).text) == (expert == "low")
        if expert == "low":
            break


def test_a_suggested_strength_is_one_press_and_one_undo(
    program: Program, session: FakeSession, qtbot: QtBot, place: Callable[[], str]
) -> None:
    session.gauges[LORA.name] = LOUD
    id = place()
    numbers = numbers_of(program)
    assert "Unusually large" in numbers.text and "80\u00a0%" in numbers.text
    assert numbers.button in strip_of(program).tab_chain()
    before = program.mix.strip(id)
    numbers.button.setFocus()
    QTest.keyClick(numbers.button, Qt.Key.Key_Space)
    after = program.mix.strip(id)
    assert after is not None and (after.high, after.low) == (0.12, 0.12)
    assert not numbers.text
    program.mix.undo.undo()
    assert program.mix.strip(id) == before and numbers.text


def test_an_expert_that_was_left_alone_stays_alone(
    program: Program, session: FakeSession, place: Callable[[], str]
) -> None:
    session.gauges[LORA.name] = LOUD
    id = place()
    program.mix.set_strength(id, "high", 0.0)
    numbers_of(program).button.click()
    strip = program.mix.strip(id)
    assert strip is not None and (strip.high, strip.low) == (0.0, 0.12)


def test_a_suggested_strength_is_heard_where_a_curve_played(
    program: Program, session: FakeSession, place: Callable[[], str]
) -> None:
    session.gauges[LORA.name] = LOUD
    id = place()
    program.mix.set_curve(id, "low", Curve((Point(0.5, 1.0),)))
    numbers_of(program).button.click()
    played = next(strip for strip in program.mix.mix.strips if strip.adapter == id)
    assert (played.high, played.low, played.low_curve) == (0.12, 0.12, None)


@pytest.fixture
def window(qtbot: QtBot) -> CoverageWindow:
    window = CoverageWindow("halo", find_model("demo"))
    qtbot.addWidget(window)
    window.show_coverage(Coverage(2, 2, ("high", "low")), gauge=LOUD)
    window.show()
    return window


def test_the_map_tells_every_cell(window: CoverageWindow, qtbot: QtBot) -> None:
    shown = window.findChild(HeatMap)
    assert isinstance(shown, HeatMap)
    for cell in LOUD.cells:
        middle = shown.place_of(cell.block, cell.layer).center()
        assert shown.cell_at(middle.x(), middle.y()) == cell
    assert shown.cell_at(1, 1) is None
    assert "80 %" in shown.accessibleDescription()
    assert "Block 0, attn1.to_q: 80 % of the weights, effective rank 6.5" in window.text
    assert "0.12 would be near that" in window.text


def test_larger_changes_are_brighter(window: CoverageWindow) -> None:
    shown = window.findChild(HeatMap)
    assert isinstance(shown, HeatMap)
    image = shown.grab().toImage()
    places = [shown.place_of(cell.block, cell.layer).center().toPoint() for cell in LOUD.cells]
    accent = QColor(theme().accent)

    def distance(colour: QColor) -> int:
        return sum(abs(a - b) for a, b in zip(colour.getRgb(), accent.getRgb(), strict=True))

    large, small = (distance(image.pixelColor(place)) for place in places)
    assert large < small
    assert not QToolTip.isVisible()
