"""Another device while the window is open: the desk comes along, and no clip is lost on the way."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from catalog.folders import Folders
from catalog.models import ModelInfo
from engine.errors import EngineError, ModelFailed
from engine.messages import Branch
from engine.worker import Session
from tests.fakes import FakeSession
from tests.qt.conftest import wait_for_desk
from ui.app import Program
from ui.message_bar import Message
from ui.settings import Device, Settings


class Machine:
    """Opens a session of its own for every request; says which devices it has, and on which models load."""

    def __init__(self) -> None:
        self.sessions: list[FakeSession] = []
        self.has: set[Device] = {"auto", "cpu", "cuda"}
        self.loads: set[Device] = {"auto", "cpu", "cuda"}

    def open(self, device: Device) -> Session:
        if device not in self.has:
            raise EngineError("There is no such device.", "Choose another.")
        machine = self

        class Opened(FakeSession):
            def load(self, name: str) -> ModelInfo:
                if device not in machine.loads:
                    raise ModelFailed("The model does not fit.")
                return super().load(name)

        session = Opened()
        session.device = f"fake {device}"
        self.sessions.append(session)
        return session

    @property
    def newest(self) -> FakeSession:
        return self.sessions[-1]


@pytest.fixture
def machine() -> Machine:
    return Machine()


Open = Callable[[], Program]


@pytest.fixture
def open_window(qtbot: QtBot, folders: Folders, machine: Machine) -> Iterator[Open]:
    opened: list[Program] = []

    def begin() -> Program:
        program = Program(folders, machine.open)
        opened.append(program)
        program.show()
        return program

    yield begin
    for session in machine.sessions:
        session.is_free = True
    for program in opened:
        program.window.close()


@pytest.fixture
def program(qtbot: QtBot, open_window: Open) -> Program:
    """The window with a strip on the desk, on the best device."""
    program = open_window()
    qtbot.waitUntil(lambda: program.run.is_ready and program._is_laid_out)
    for strip in program.mix.strips:
        program.mix.remove(strip.id)
    program.mix.add(program.folders.built_in / "halo.safetensors")
    wait_for_desk(qtbot, program.mix)
    program.run.change(replace(program.run.settings, steps=4))
    return program


def choose(program: Program, device: Device) -> None:
    """As OK in the settings does."""
    program.settings.device = device
    program.window.settings_changed.emit()


def wait_for(qtbot: QtBot, program: Program, device: Device) -> None:
    qtbot.waitUntil(lambda: program.run.device == f"fake {device}" and program.run.is_ready)
    wait_for_desk(qtbot, program.mix)


def let(qtbot: QtBot, program: Program, machine: Machine, steps: int) -> None:
    """Let that many steps of a clip be made."""
    for _ in range(steps):
        machine.newest.steps.put(None)
    qtbot.waitUntil(lambda: len(program.run.takes.steps) == steps)


def newest(program: Program) -> Message:
    return program.window.message_bar.messages[-1]


def test_the_model_and_the_desk_come_along(qtbot: QtBot, program: Program, machine: Machine) -> None:
    strips = program.mix.strips
    choose(program, "cpu")
    wait_for(qtbot, program, "cpu")
    assert program.mix.strips == strips
    assert [path.name for path in machine.newest.attached.values()] == ["halo.safetensors"]
    assert "fake cpu" in newest(program).sentence
    machine.newest.is_free = True
    with qtbot.waitSignal(program.run.finished):
        program.run.generate()
    assert len(machine.newest.heard) == 4 and not machine.sessions[0].heard


def test_a_device_that_is_not_there_leaves_all_as_it_was(
    qtbot: QtBot, program: Program, machine: Machine, folders: Folders
) -> None:
    machine.has = {"auto"}
    choose(program, "cuda")
    qtbot.waitUntil(lambda: "no such device" in newest(program).sentence)
    assert "stays with fake auto" in newest(program).advice and program.run.is_ready
    assert program.settings.device == Settings(folders).device == "auto"
    machine.newest.is_free = True
    with qtbot.waitSignal(program.run.finished):
        program.run.generate()


def test_a_device_on_which_the_model_does_not_load_is_left_again(
    qtbot: QtBot, program: Program, machine: Machine
) -> None:
    machine.loads = {"auto"}
    choose(program, "cuda")
    qtbot.waitUntil(lambda: len(machine.sessions) == 3)
    wait_for(qtbot, program, "auto")
    assert any("does not fit" in message.sentence for message in program.window.message_bar.messages)
    assert program.settings.device == "auto" and len(machine.newest.attached) == 1


def test_a_clip_under_way_is_finished_first_and_the_next_one_is_made_on_the_other_device(
    qtbot: QtBot, program: Program, machine: Machine
) -> None:
    first, takes = machine.newest, program.run.takes
    program.run.generate()
    program.run.generate()
    let(qtbot, program, machine, 2)
    choose(program, "cpu")
    assert "finished first" in newest(program).sentence and len(machine.sessions) == 1
    first.is_free = True
    wait_for(qtbot, program, "cpu")
    qtbot.waitUntil(lambda: program.run.phase == "running")
    machine.newest.is_free = True
    qtbot.waitUntil(lambda: program.run.phase == "idle")
    assert len(first.heard) == len(machine.newest.heard) == 4
    assert [take.frames is not None for take in takes.all] == [True, True]


def test_a_clip_that_is_stopped_for_it_goes_on_there(
    qtbot: QtBot, program: Program, machine: Machine
) -> None:
    program.run.generate()
    let(qtbot, program, machine, 3)
    choose(program, "cpu")
    (stop,) = newest(program).actions
    stop.do()
    wait_for(qtbot, program, "cpu")
    (left,) = program.run.unfinished()
    machine.newest.is_free = True
    with qtbot.waitSignal(program.run.finished):
        program.window.unfinished.resume(left)
    assert len(machine.newest.heard) == 1, "three of the four steps were made before"


def test_a_branch_that_waits_is_made_where_its_steps_are(
    qtbot: QtBot, program: Program, machine: Machine
) -> None:
    first = machine.newest
    first.is_free = True
    with qtbot.waitSignal(program.run.finished):
        program.run.generate()
    first.is_free = False
    take = program.run.takes.all[0]
    with qtbot.waitSignal(program.run.started):
        program.run.generate()
    program.run.branch(take, 2)
    assert isinstance(program.run._asked[program.run.waiting[-1]].start, Branch)
    choose(program, "cpu")
    first.is_free = True
    wait_for(qtbot, program, "cpu")
    assert not program.run.takes.all[-1].unfinished and machine.sessions[-1].heard == []
    assert all("no longer kept" not in said.sentence for said in program.window.message_bar.messages)


def test_changing_ones_mind_while_a_clip_is_made_changes_nothing(
    qtbot: QtBot, program: Program, machine: Machine
) -> None:
    program.run.generate()
    let(qtbot, program, machine, 1)
    choose(program, "cpu")
    choose(program, "auto")
    machine.newest.is_free = True
    qtbot.waitUntil(lambda: program.run.phase == "idle" and program.run.is_ready)
    assert program.run.device == "fake auto" and len(machine.sessions) == 1


def test_an_engine_that_did_not_start_starts_on_another_device(
    qtbot: QtBot, open_window: Open, machine: Machine
) -> None:
    machine.has = {"cpu"}
    program = open_window()
    qtbot.waitUntil(lambda: program.run.is_engine_lost)
    choose(program, "cpu")
    wait_for(qtbot, program, "cpu")
    machine.newest.is_free = True
    with qtbot.waitSignal(program.run.finished):
        program.run.generate()


def test_a_window_that_closes_while_a_device_is_awaited_ends(
    qtbot: QtBot, program: Program, machine: Machine, folders: Folders
) -> None:
    program.run.generate()
    let(qtbot, program, machine, 1)
    choose(program, "cpu")
    program.window.close()
    qtbot.waitUntil(lambda: program.run.is_free)
    assert program.bridge.stop(0), "no engine came after it"
    assert Path(folders.state / "last session.json").exists()
