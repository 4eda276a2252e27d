"""The axis follows the settings and the run; what was played becomes curves; strips and recipes keep them."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from catalog.curve import Curve, Point
from catalog.planned_axis import planned
from catalog.recipe import LoraUse, Recipe, dumps, loads
from catalog.sampling import Sampling
from engine.bridge import EngineBridge
from tests.fakes import FakeSession, schedule_of
from tests.qt.lane.bench import Bench
from ui.app import Program
from ui.desk.desk import DeskPanel
from ui.desk.fader import Fader
from ui.desk.notice import notice
from ui.desk.strip import StripView
from ui.state.hearing import Hearing
from ui.state.strip import Attachment

RISE = Curve((Point(1.0, 0.0), Point(0.0, 1.0)))


@pytest.fixture
def view(bench: Bench, bridge: EngineBridge, qtbot: QtBot) -> StripView:
    """The whole strip, kept up to date as the desk does."""
    view = StripView(bench.ids[0], bench.mix, Hearing(bridge, bench.mix), bench.automation)
    bench.mix.strip_changed.connect(lambda _: view.refresh())
    bench.automation.stepped.connect(view.refresh_hearing)
    qtbot.addWidget(view)
    view.resize(380, 300)
    view.show()
    return view


def play(bench: Bench, bridge: EngineBridge, session: FakeSession, qtbot: QtBot, *moves: float) -> None:
    """A run of six steps; before each of the first ones the LOW fader of the first strip is moved."""
    with qtbot.waitSignal(bridge.run_started):
        bridge.generate(Recipe(steps=6))
    for strength in moves:
        bench.mix.set_strength(bench.ids[0], "low", strength)
        with qtbot.waitSignal(bridge.step_finished):
            session.steps.put(None)
    session.is_free = True
    qtbot.waitSignal(bridge.run_finished).wait()


def test_before_a_run_the_axis_is_that_of_the_settings(bench: Bench, qtbot: QtBot) -> None:
    own = bench.run.settings
    assert bench.automation.axis == planned(bench.run.model, Sampling.of(own))
    with qtbot.waitSignal(bench.automation.axis_changed):
        bench.run.change(type(own)(**{n: getattr(own, n) for n in own.__slots__} | {"steps": 9}))
    assert bench.automation.axis.steps == 9


def test_what_was_played_becomes_curves_that_play_it_again(
    bench: Bench, bridge: EngineBridge, session: FakeSession, qtbot: QtBot
) -> None:
    play(bench, bridge, session, qtbot, 0.2, 0.4, 0.4, 0.9)
    sigmas, experts = schedule_of(6)
    heard = [step.strength for step in bench.automation.played(bench.ids[0])]
    assert heard == [1.0, 0.4, 0.4, 0.9, 0.9, 0.9]
    bench.automation.write_played(bench.ids[0])
    again = [bench.curve(expert).at(sigma) for sigma, expert in zip(sigmas, experts, strict=True)]
    assert again == heard
    assert bench.mix.mix.strips[0].low_curve == bench.curve("low")
    bench.mix.undo.undo()
    assert bench.strip.low_curve is None


def test_nothing_played_is_nothing_written(bench: Bench, qtbot: QtBot) -> None:
    with qtbot.waitSignal(bench.automation.message) as said:
        bench.automation.write_played(bench.ids[0])
    assert said.args[0] == "look" and bench.strip.low_curve is None


def test_a_clip_that_was_opened_can_be_written_as_curves(bench: Bench) -> None:
    steps = bench.automation.axis.steps
    per_step = tuple(0.01 * step for step in range(steps))
    bench.mix.load([(LoraUse("a", 1, 1, per_step), Path("/loras/a.safetensors"), None)])
    id = bench.mix.strips[0].id
    assert [p.strength for p in bench.automation.played(id)] == list(per_step)
    bench.automation.write_played(id)
    strip = bench.mix.strips[0]
    assert strip.per_step == () and strip.high_curve is not None and strip.low_curve is not None
    axis = bench.automation.axis
    both = {"high": strip.high_curve, "low": strip.low_curve}
    assert tuple(both[e].at(s) for s, e in zip(axis.sigmas, axis.experts, strict=True)) == per_step


def test_a_run_plays_the_curves_and_its_recipe_has_them(
    bench: Bench, bridge: EngineBridge, session: FakeSession, qtbot: QtBot
) -> None:
    bench.mix.set_curve(bench.ids[0], "low", RISE)
    with qtbot.waitSignal(bridge.run_finished) as finished:
        session.is_free = True
        bridge.generate(Recipe(steps=6))
    sigmas, _ = schedule_of(6)
    heard = [step.strength for step in bench.automation.played(bench.ids[0])]
    assert heard == [1.0, *[RISE.at(sigma) for sigma in sigmas[1:]]]
    assert finished.args[0].recipe.loras[0].low_curve == RISE


def test_curves_survive_a_recipe_and_those_that_wait_the_next_start(bench: Bench) -> None:
    bench.mix.set_curve(bench.ids[0], "high", RISE)
    bench.mix.set_curve(bench.ids[0], "low", RISE)
    bench.mix.set_strength(bench.ids[0], "low", 0.3)
    played = loads(dumps(Recipe(loras=bench.mix.uses()))).loras
    assert (played[0].high_curve, played[0].low_curve, played[0].low) == (RISE, None, 0.3)
    kept = loads(dumps(Recipe(loras=bench.mix.all_uses()))).loras
    before = [(s.high_curve, s.low_curve, s.by_hand) for s in bench.mix.strips]
    bench.mix.load([(use, Path(use.file), None) for use in kept])
    assert [(s.high_curve, s.low_curve, s.by_hand) for s in bench.mix.strips] == before
    assert before[0] == (RISE, RISE, frozenset({"low"}))


def test_a_clip_plays_what_was_recorded_until_its_curves_are_followed(bench: Bench) -> None:
    steps = bench.automation.axis.steps
    use = LoraUse("a", 1, 1, (0.5,) * steps, low_curve=RISE)
    bench.mix.load(
        [(use, Path("/loras/a.safetensors"), None), (LoraUse("b", 1, 1, (1.0,)), Path("/b"), None)]
    )
    clip, bare = bench.mix.strips
    assert bench.mix.mix.strips[0].per_step == (0.5,) * steps
    assert notice(clip, Attachment(), None)[1].endswith("press F for the curves, to take over.")
    for strip in (clip, bare):
        bench.mix.follow_curves(strip.id)
    assert bench.mix.mix.strips[0].per_step == () and bench.mix.mix.strips[0].low_curve == RISE
    assert bench.mix.mix.strips[1].per_step == (1.0,)


def test_a_curve_counts_as_heard_only_once_a_step_was_made(
    bench: Bench, bridge: EngineBridge, session: FakeSession, qtbot: QtBot
) -> None:
    hearing = Hearing(bridge, bench.mix)
    with qtbot.waitSignal(bridge.run_started):
        bridge.generate(Recipe(steps=6))
    bench.mix.set_curve(bench.ids[0], "low", RISE)
    assert not hearing.is_heard(bench.ids[0], "low") and hearing.is_heard(bench.ids[0], "high")
    with qtbot.waitSignal(bridge.step_finished):
        session.steps.put(None)
    assert hearing.is_heard(bench.ids[0], "low")


def test_a_fader_shows_its_curve_where_the_run_is(
    bench: Bench, view: StripView, bridge: EngineBridge, session: FakeSession, qtbot: QtBot
) -> None:
    low = view.findChildren(Fader)[1]
    bench.mix.set_curve(bench.ids[0], "low", RISE)
    axis = bench.automation.axis
    assert low.strength == RISE.at(axis.sigmas[axis.border]) and "follows its curve" in low.accessibleName()
    with qtbot.waitSignal(bridge.run_started):
        bridge.generate(Recipe(steps=6))
    for _ in range(3):
        with qtbot.waitSignal(bridge.step_finished):
            session.steps.put(None)
    now = RISE.at(schedule_of(6)[0][2])
    assert low.strength == now
    low.setFocus()
    QTest.keyClick(low, Qt.Key.Key_Up)
    assert bench.strip.low == pytest.approx(now + 0.05, abs=1e-4)
    assert bench.strip.by_hand == {"low"} and "follows" not in low.accessibleName()
    QTest.keyClick(view, Qt.Key.Key_F)
    assert bench.strip.by_hand == frozenset() and low.strength == now


def test_the_lane_unfolds_by_key_and_when_a_curve_comes(bench: Bench, view: StripView) -> None:
    assert not view.lane.isVisible()
    folded = view.height()
    QTest.keyClick(view, Qt.Key.Key_C)
    assert view.lane.isVisible() and view.height() > folded + 100
    QTest.keyClick(view, Qt.Key.Key_C)
    assert not view.lane.isVisible() and view.height() == folded
    bench.mix.set_curve(bench.ids[0], "low", RISE)
    assert view.lane.isVisible()


def test_the_copy_says_what_wan2gp_needs_to_play_the_same(bench: Bench, qtbot: QtBot) -> None:
    bench.mix.set_strength(bench.ids[0], "low", -0.5)
    with qtbot.waitSignal(bench.automation.message) as said:
        text = bench.automation.multipliers()
    assert text == "1;-0.5 1"
    kind, sentence, advice, details = said.args
    assert (kind, details) == ("info", text) and text in sentence
    assert "2 guidance phases" in advice and "switch threshold 87" in advice and "negative" in advice


def test_three_phases_say_where_the_first_one_ends(bench: Bench, qtbot: QtBot) -> None:
    with qtbot.waitSignal(bench.automation.message) as said:
        bench.automation.paste_multipliers("0;1;0 0;0;1 1", bench.ids[0])
    assert said.args[0] == "info" and "0.965" in said.args[2] and "1 more in the text" in said.args[2]
    assert bench.mix.strips[1].low == 1 and bench.mix.strips[0].high_curve is not None


def test_the_desk_takes_multipliers_for_all_its_strips(program: Program) -> None:
    desk, mix = program.window.desk, program.mix
    assert len(mix.strips) == 2 and len(desk.views) == 2
    QGuiApplication.clipboard().setText("0.3;0.4")
    choose(desk, "Paste Wan2GP multipliers")
    assert [(s.high, s.low) for s in mix.strips] == [(0.3, 0.4), (1, 1)]
    choose(desk, "Copy as Wan2GP multipliers")
    assert QGuiApplication.clipboard().text() == "0.3;0.4 1"
    assert "2 guidance phases" in program.window.message_bar.messages[-1].advice
    choose(desk, "Show all curves")
    assert all(view.lane.isVisible() for view in desk.views)
    choose(desk, "Hide all curves")
    assert not any(view.lane.isVisible() for view in desk.views)


def choose(desk: DeskPanel, text: str) -> None:
    next(action for action in desk.menu().actions() if action.text() == text).trigger()
