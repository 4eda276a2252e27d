"""Takes: a branch beside its origin, the way from one to the other, and what stays in memory."""

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from engine.errors import OutOfMemory
from engine.messages import RunStarted
from tests.fakes import FakeSession
from tests.qt.stage.conftest import BreakableSession, Said, clip_of, finish, play
from ui.stage import captions
from ui.stage.panel import StagePanel
from ui.stage.take_switch import words_of
from ui.state import takes
from ui.state.mix import MixState
from ui.state.run import RunState
from ui.state.takes import MOST
from ui.theme import theme


def click(qtbot: QtBot, stage: StagePanel, step: int) -> None:
    place = stage.timeline.cell(step).center().toPoint()
    qtbot.mouseClick(stage.timeline, Qt.MouseButton.LeftButton, pos=place)


def branch(qtbot: QtBot, stage: StagePanel, run: RunState, step: int) -> RunStarted:
    """Click a step and press Branch; the run that begins."""
    click(qtbot, stage, step)
    assert stage.take_row.branch.text() == f"Branch from step {step + 1}"
    with qtbot.waitSignal(run.started) as begun:
        qtbot.mouseClick(stage.take_row.branch, Qt.MouseButton.LeftButton)
    assert isinstance(begun.args[0], RunStarted)
    return begun.args[0]


def test_a_branch_goes_on_from_the_clicked_step_with_todays_faders_beside_the_old_take(
    qtbot: QtBot, run: RunState, stage: StagePanel, mix: MixState, session: FakeSession
) -> None:
    finish(qtbot, run, session, steps=10)
    first = clip_of(run)
    strip = mix.strips[0].id
    mix.set_strength(strip, "low", -0.5)
    session.is_free = True
    begun = branch(qtbot, stage, run, 4)
    assert begun.begins_at == 4
    qtbot.waitUntil(lambda: run.phase == "idle")
    old, new = run.takes.all
    assert old is first and run.takes.current is new and (old.number, new.number) == (1, 2)
    assert [step.is_reused for step in new.steps] == [True] * 4 + [False] * 6
    assert [dict(step.strengths)[strip] for step in new.steps] == [1.0] * 4 + [-0.5] * 6
    assert new.origin == "Branched from take 1 at step 5" in words_of(new)


def test_branch_is_offered_only_for_a_step_that_is_kept_on_show(
    qtbot: QtBot, run: RunState, stage: StagePanel, session: FakeSession
) -> None:
    row = stage.take_row
    stage.branch()
    assert run.phase == "idle" and not row.can_branch
    finish(qtbot, run, session)
    assert row.branch.isHidden() and row.clip.isHidden() and row.export.isVisible()
    click(qtbot, stage, 2)
    assert row.can_branch and row.branch.isVisible() and row.clip.isVisible() and row.export.isHidden()
    qtbot.mouseClick(row.clip, Qt.MouseButton.LeftButton)
    assert stage.showing.is_take and row.branch.isHidden()


def test_the_menu_of_a_step_branches_too(
    qtbot: QtBot, run: RunState, stage: StagePanel, session: FakeSession
) -> None:
    finish(qtbot, run, session)
    stage.showing.pin(3)
    action = stage.timeline.menu_of(3).actions()[0]
    assert action.text().startswith("Branch from step 4")
    with qtbot.waitSignal(run.started) as begun:
        action.trigger()
    assert begun.args[0].begins_at == 3


def test_a_stopped_take_can_be_branched(
    qtbot: QtBot, run: RunState, stage: StagePanel, session: FakeSession
) -> None:
    with qtbot.waitSignal(run.started):
        run.generate()
    play(qtbot, run, session, 3)
    run.cancel()
    qtbot.waitUntil(lambda: run.phase == "idle")
    assert branch(qtbot, stage, run, 1).begins_at == 1


def test_a_branch_of_steps_that_are_gone_says_so_and_changes_nothing(
    qtbot: QtBot, run: RunState, stage: StagePanel, session: FakeSession, said: Said
) -> None:
    finish(qtbot, run, session)
    before = run.takes.all
    session.played.clear()
    stage.showing.pin(1)
    stage.branch()
    qtbot.waitUntil(lambda: bool(said.all))
    assert said.last[0] == "refused" and run.takes.all == before and run.phase == "idle"


def test_the_pinned_picture_stays_until_the_branch_has_a_step_of_its_own(
    qtbot: QtBot, run: RunState, stage: StagePanel, session: FakeSession
) -> None:
    finish(qtbot, run, session)
    branch(qtbot, stage, run, 3)
    qtbot.waitUntil(lambda: len(run.takes.steps) == 3)
    assert stage.playback.frames[0, 0, 0, 0] == 200
    assert captions.plain(captions.left(run, stage.showing)) == "the clip before"
    play(qtbot, run, session, 1)
    assert stage.playback.frames[0, 0, 0, 0] == 43


def test_turning_the_takes(qtbot: QtBot, run: RunState, stage: StagePanel, session: FakeSession) -> None:
    switch = stage.take_row.switch
    finish(qtbot, run, session, steps=4)
    assert switch.isHidden()
    finish(qtbot, run, session, steps=9)
    assert switch.list.text() == "Take 2 of 2" and not switch.on.isEnabled()
    qtbot.mouseClick(switch.back, Qt.MouseButton.LeftButton)
    first = run.takes.all[0]
    assert stage.showing.shown is first and stage.timeline.track.count == 4
    assert switch.list.text() == "Take 1 of 2" and not switch.back.isEnabled()
    assert f"seed {first.recipe.seed} · 4 steps" in switch.list.toolTip()
    qtbot.mouseClick(switch.on, Qt.MouseButton.LeftButton)
    assert run.takes.current is run.takes.all[1]
    run.takes.turn(1)
    assert run.takes.current is run.takes.all[1], "there is nothing after the last"
    switch.fill()
    names = [action.text() for action in switch.list.menu().actions()]
    assert names[:2] == ["Take 1", "Take 2"]
    switch.list.menu().actions()[0].trigger()
    assert run.takes.current is first


def test_looking_at_another_take_is_not_disturbed_by_the_run(
    qtbot: QtBot, run: RunState, stage: StagePanel, session: FakeSession
) -> None:
    finish(qtbot, run, session)
    with qtbot.waitSignal(run.started):
        run.generate()
    play(qtbot, run, session, 1)
    run.takes.turn(-1)
    first = run.takes.all[0]
    session.is_free = True
    qtbot.waitUntil(lambda: run.phase == "idle")
    assert stage.showing.shown is first and run.takes.beside(1) is run.takes.all[1]
    assert run.takes.all[1].frames is not None


def test_only_the_last_takes_stay_in_memory(qtbot: QtBot, run: RunState, session: FakeSession) -> None:
    for _ in range(MOST + 2):
        finish(qtbot, run, session, steps=1)
    assert [take.number for take in run.takes.all] == list(range(3, MOST + 3))
    assert run.takes.newest_number == MOST + 2


def test_large_takes_make_way_sooner(
    qtbot: QtBot, run: RunState, session: FakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(qtbot, run, session, steps=1)
    monkeypatch.setattr(takes, "MOST_BYTES", 2 * clip_of(run).nbytes)
    for _ in range(3):
        finish(qtbot, run, session, steps=1)
    assert [take.number for take in run.takes.all] == [3, 4]
    monkeypatch.setattr(takes, "MOST_BYTES", 0)
    finish(qtbot, run, session, steps=1)
    assert [take.number for take in run.takes.all] == [5], "the one on the stage stays"


def test_a_run_without_a_step_leaves_no_take(
    qtbot: QtBot, run: RunState, stage: StagePanel, session: FakeSession
) -> None:
    finish(qtbot, run, session)
    before = run.takes.current
    with qtbot.waitSignal(run.started):
        run.generate()
    run.cancel()
    qtbot.waitUntil(lambda: run.phase == "idle")
    assert run.takes.all == (before,) and stage.showing.shown is before


def test_steps_say_what_was_played_and_which_were_reused(
    qtbot: QtBot, run: RunState, stage: StagePanel, mix: MixState, session: FakeSession
) -> None:
    first, second = (strip.id for strip in mix.strips)
    with qtbot.waitSignal(run.started):
        run.generate()
    play(qtbot, run, session, 5)
    mix.set_strength(first, "low", 0.25)
    play(qtbot, run, session, 1)
    track = stage.timeline.track
    assert track.describe(5).splitlines() == [
        "step 6 of 20 · σ 0.750 · LOW noise · 0.01 s", f"{first.upper()} 0.25", f"{second.upper()} 1.00"
    ]  # fmt: skip
    assert [step for step in range(track.done) if track.is_turn(step)] == [5]
    stage.showing.pin(5)
    assert stage.take_row.words.text() == f"{first.upper()} 0.25 · {second.upper()} 1.00"
    run.cancel()
    qtbot.waitUntil(lambda: run.phase == "idle")
    with qtbot.waitSignal(run.started):
        stage.branch()
    qtbot.waitUntil(lambda: track.done == 5)
    assert track.describe(0).splitlines()[0] == "step 1 of 20 · σ 1.000 · HIGH noise · reused"


def test_the_boundary_lies_at_its_sigma(
    qtbot: QtBot, run: RunState, stage: StagePanel, session: FakeSession
) -> None:
    finish(qtbot, run, session, steps=10)
    timeline, track = stage.timeline, stage.timeline.track
    assert run.model.boundary == 0.875 and track.boundary == pytest.approx(1.5 + 0.25)
    x = round(track.place(track.boundary or 0, timeline.width()))
    assert timeline.cell(1).center().x() < x < timeline.cell(2).center().x()
    image = timeline.grab().toImage()
    dashes = {image.pixelColor(QPoint(x, y)).name() for y in range(40)}
    assert QColor(theme().secondary).name() in dashes


def test_a_stopped_take_goes_on_where_it_stopped_in_its_own_place(
    qtbot: QtBot, run: RunState, stage: StagePanel, mix: MixState, session: FakeSession
) -> None:
    with qtbot.waitSignal(run.started):
        run.generate()
    play(qtbot, run, session, 7)
    assert not stage.take_row.can_continue
    with qtbot.waitSignal(run.stopped) as stopped:
        run.cancel()
    left = stopped.args[0].unfinished
    assert (left.step, left.steps) == (7, 20)
    assert stage.showing.step == 6
    assert stage.take_row.words.text() == "Stopped at step 7 of 20" and stage.take_row.resume.isVisible()
    mix.set_strength(mix.strips[0].id, "low", 0.1)
    stage.take_row.continue_requested.connect(run.resume)
    with qtbot.waitSignal(run.started) as begun:
        qtbot.mouseClick(stage.take_row.resume, Qt.MouseButton.LeftButton)
    assert begun.args[0].begins_at == 7 and not stage.take_row.can_continue
    session.is_free = True
    qtbot.waitUntil(lambda: run.phase == "idle")
    (take,) = run.takes.all
    assert take.number == 1 and take.frames is not None and take.file == Path("/clips/a red ball 7.mp4")
    played = [dict(step.strengths)[mix.strips[0].id] for step in take.steps]
    assert played == [1.0] * 7 + [0.1] * 13
    assert run.unfinished() == ()


def test_a_run_that_failed_can_be_continued(
    qtbot: QtBot, run: RunState, stage: StagePanel, session: BreakableSession
) -> None:
    with qtbot.waitSignal(run.started):
        run.generate()
    play(qtbot, run, session, 2)
    session.failure = OutOfMemory("The device is out of memory.")
    session.steps.put(None)
    qtbot.waitUntil(lambda: run.phase == "idle")
    assert stage.take_row.can_continue
