"""The Run menu's keys: heard where they can do something, and left to text fields while one types."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPlainTextEdit
from pytestqt.qtbot import QtBot

from catalog.folders import Folders
from tests.fakes import FakeSession
from ui.app import Program

CONTROL, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier


@pytest.fixture
def played(qtbot: QtBot, program: Program, session: FakeSession) -> Program:
    """The window, active, with a finished clip."""
    program.window.activateWindow()
    qtbot.waitUntil(program.window.isActiveWindow)
    session.is_free = True
    with qtbot.waitSignal(program.run.finished):
        program.run.generate()
    return program


def test_live_is_a_key_and_remembered(
    qtbot: QtBot, program: Program, open_program: Callable[[Folders], Program], folders: Folders
) -> None:
    program.window.activateWindow()
    qtbot.waitUntil(program.window.isActiveWindow)
    QTest.keyClick(program.window.desk.views[0], Qt.Key.Key_L, CONTROL)
    assert program.live.is_on and program.window.top_bar.live.isChecked()
    program.window.close()
    again = open_program(folders)
    qtbot.waitUntil(lambda: again.run.is_ready)
    assert again.live.is_on and again.run.phase == "idle", "the desk that comes back begins nothing"
    again.window.close()


def test_b_branches_from_the_step_on_show_but_is_a_letter_in_the_prompt(
    qtbot: QtBot, played: Program
) -> None:
    stage = played.window.stage
    stage.timeline.setFocus()
    QTest.keyClick(stage.timeline, Qt.Key.Key_B)
    assert played.run.phase == "idle", "no step is pinned"
    QTest.keyClick(stage.timeline, Qt.Key.Key_Home)
    QTest.keyClick(stage.timeline, Qt.Key.Key_Right)
    prompt = next(w for w in stage.findChildren(QPlainTextEdit) if not w.isReadOnly())
    prompt.setFocus()
    QTest.keyClick(prompt, Qt.Key.Key_B)
    assert "b" in prompt.toPlainText() and played.run.phase == "idle"
    stage.timeline.setFocus()
    with qtbot.waitSignal(played.run.started) as begun:
        QTest.keyClick(stage.timeline, Qt.Key.Key_B)
    assert begun.args[0].begins_at == 1


def test_alt_and_arrows_turn_the_takes(qtbot: QtBot, played: Program) -> None:
    with qtbot.waitSignal(played.run.finished):
        played.run.generate()
    first, second = played.run.takes.all
    QTest.keyClick(played.window.desk.views[0], Qt.Key.Key_Left, ALT)
    assert played.run.takes.current is first
    QTest.keyClick(played.window.desk.views[0], Qt.Key.Key_Right, ALT)
    assert played.run.takes.current is second


def test_a_take_gives_its_faders_and_settings_back(qtbot: QtBot, played: Program) -> None:
    mix, run, row = played.mix, played.run, played.window.stage.take_row
    seed = run.settings.seed
    mix.set_strength(mix.strips[0].id, "low", -0.4)
    with qtbot.waitSignal(run.finished):
        run.generate()
    assert run.settings.seed != seed
    run.takes.turn(-1)
    row.switch.fill()
    row.switch.list.menu().actions()[-1].trigger()
    assert run.settings.seed == seed and [s.low for s in mix.strips] == [1.0, 1.0]
    mix.undo.undo()
    assert mix.strips[0].low == -0.4


def test_focus_goes_to_the_timeline_when_the_pressed_button_goes(qtbot: QtBot, played: Program) -> None:
    stage = played.window.stage
    stage.showing.pin(2)
    stage.take_row.branch.setFocus()
    with qtbot.waitSignal(played.run.finished):
        QTest.keyClick(stage.take_row.branch, Qt.Key.Key_Space)
    assert stage.timeline.hasFocus()


def test_the_memory_for_steps_is_what_the_settings_say(
    program: Program, open_program: Callable[[Folders], Program], folders: Folders
) -> None:
    assert program.bridge.budget == 2 << 30
    program.run.allow_memory(0)
    assert program.bridge.budget == 0
    program.settings.memory = 5
    program.window.close()
    again = open_program(folders)
    assert again.bridge.budget == 5 << 30
    again.window.close()
