"""Runs that stopped are offered again: after a cancel, a closed window, and a crash."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from catalog.folders import Folders
from tests.fakes import FakeSession
from ui.app import Program
from ui.run_menu import RunMenu

Open = Callable[[Folders], Program]


def stop_after(qtbot: QtBot, program: Program, session: FakeSession, steps: int) -> None:
    """Begin a clip and close the window over it."""
    with qtbot.waitSignal(program.run.started):
        program.run.generate()
    for _ in range(steps):
        with qtbot.waitSignal(program.run.step_finished):
            session.steps.put(None)
    program.window.close()


def offers(program: Program) -> dict[str, QPushButton]:
    """What the message bar offers to do, by its words."""
    buttons = program.window.message_bar.findChildren(QPushButton)
    return {button.text(): button for button in buttons if button.isVisible() and button.text() != "Details"}


def said(program: Program) -> str:
    return " | ".join(m.sentence for m in program.window.message_bar.messages)


@pytest.fixture
def again(
    qtbot: QtBot, program: Program, open_program: Open, folders: Folders, session: FakeSession
) -> Program:
    """The window opened again after it was closed over step 12 of 20."""
    program.mix.set_strength(program.mix.strips[0].id, "low", 0.25)
    stop_after(qtbot, program, session, 12)
    return open_program(folders)


def test_a_clip_that_closing_interrupted_goes_on_where_it_stopped(
    qtbot: QtBot, again: Program, session: FakeSession
) -> None:
    assert "A clip stopped at step 12 of 20 before it was finished." in said(again)
    assert set(offers(again)) == {"Continue", "Discard"}
    with qtbot.waitSignal(again.run.started) as begun:
        offers(again)["Continue"].click()
    assert begun.args[0].begins_at == 12
    assert [(s.name, s.low) for s in again.mix.strips] == [("halo", 0.25), ("giant", 1.0)]
    assert "stopped at step" not in said(again)
    session.is_free = True
    with qtbot.waitSignal(again.run.finished) as finished:
        pass
    assert finished.args[0].file is not None and len(again.run.takes.steps) == 20
    assert again.run.unfinished() == ()
    again.window.close()


CRASH = """
import os
from PySide6.QtWidgets import QApplication
from catalog.folders import default_folders
from tests.fakes import FakeSession
application = QApplication([])
from ui.app import Program
session = FakeSession()
program = Program(default_folders(), lambda device: session)
program.run.step_finished.connect(lambda event: event.step == 4 and os._exit(9))
program.bridge.model_loaded.connect(program.run.generate)
for _ in range(5):
    session.steps.put(None)
program.show()
application.exec()
"""


def test_a_clip_that_a_crash_interrupted_is_offered(tmp_path: Path, open_program: Open) -> None:
    root = Path(__file__).resolve().parents[2]
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(root)}
    environment |= {"LORA_ALCHEMY_HOME": str(tmp_path)}
    crashed = subprocess.run([sys.executable, "-c", CRASH], env=environment, timeout=240, check=False)
    assert crashed.returncode == 9
    home = Folders(tmp_path / "loras", tmp_path / "none", tmp_path / "outputs", tmp_path / "state")
    program = open_program(home)
    assert "A clip stopped at step 5 of 20" in said(program)
    program.window.close()


def test_discarding_forgets_it(again: Program, open_program: Open, folders: Folders) -> None:
    offers(again)["Discard"].click()
    assert again.run.unfinished() == () and not said(again)
    again.window.close()
    third = open_program(folders)
    assert not said(third)
    third.window.close()


def test_dismissing_keeps_it_for_later(again: Program, open_program: Open, folders: Folders) -> None:
    again.window.message_bar.dismiss()
    again.window.close()
    third = open_program(folders)
    assert "A clip stopped at step 12 of 20" in said(third)
    third.window.close()


def test_without_one_of_its_loras_nothing_is_begun(again: Program, folders: Folders) -> None:
    (folders.built_in / "halo.safetensors").unlink()
    offers(again)["Continue"].click()
    assert "The desk is without “halo.safetensors”." in said(again)
    assert again.run.phase == "idle" and len(again.run.unfinished()) == 1
    again.window.close()


def test_several_are_one_sentence_and_a_menu(
    qtbot: QtBot, again: Program, open_program: Open, folders: Folders, session: FakeSession
) -> None:
    session.played.clear()
    stop_after(qtbot, again, session, 3)
    third = open_program(folders)
    assert "2 clips stopped before they were finished." in said(third)
    assert set(offers(third)) == {"Continue", "Discard all"}
    menu = third.window.findChild(RunMenu)
    assert menu is not None
    menu.aboutToShow.emit()
    texts = [action.text() for action in menu._left.actions()]
    assert [text.split(":")[0] for text in texts] == ["Step 3 of 20", "Step 12 of 20"]
    with qtbot.waitSignal(third.run.started) as begun:
        menu._left.actions()[1].trigger()
    assert begun.args[0].begins_at == 12
    third.window.close()


def test_after_a_cancel_the_bar_and_the_stage_offer_to_go_on(
    qtbot: QtBot, program: Program, session: FakeSession
) -> None:
    with qtbot.waitSignal(program.run.started):
        program.run.generate()
    for _ in range(4):
        with qtbot.waitSignal(program.run.step_finished):
            session.steps.put(None)
    with qtbot.waitSignal(program.run.stopped):
        program.run.cancel()
    assert "Stopped at step 4 of 20. Nothing is lost." in said(program)
    assert program.window.stage.take_row.resume.isVisible()
    before = program.mix.strips
    with qtbot.waitSignal(program.run.started) as begun:
        offers(program)["Continue"].click()
    assert begun.args[0].begins_at == 4 and program.mix.strips == before
    assert "Stopped" not in said(program)


def test_a_cancel_before_the_first_step_offers_nothing(qtbot: QtBot, program: Program) -> None:
    with qtbot.waitSignal(program.run.started):
        program.run.generate()
    with qtbot.waitSignal(program.bridge.run_cancelled):
        program.run.cancel()
    assert "Stopped" not in said(program) and program.run.unfinished() == ()


def test_a_clip_asked_for_before_the_model_is_there_has_the_loras_of_the_desk(
    qtbot: QtBot, folders: Folders, session: FakeSession
) -> None:
    program = Program(folders, lambda _device: session)
    program.show()
    qtbot.waitUntil(lambda: program._is_started)
    program.run.generate()
    with qtbot.waitSignal(program.run.step_finished) as step:
        session.steps.put(None)
    assert len(step.args[0].strengths) == len(program.mix.strips) == 2
    program.window.close()
