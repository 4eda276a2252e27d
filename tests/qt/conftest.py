"""A real bridge over the fake session, and the whole window over it, without a display."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from catalog.folders import Folders
from catalog.scan import hash_file
from engine.bridge import EngineBridge
from engine.messages import AdapterAttached
from tests.fakes import FakeSession, Recorder
from tests.unit.catalog.builders import folders_in, sdxl_lora, wan_lora, write
from tests.windows import delete_all
from ui.app import Program
from ui.state.mix import MixState
from ui.theme import dress, watcher

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The offscreen platform complains about every window that has a least size."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.qt_log_ignore("propagateSizeHints", extend=True))


class HashingSession(FakeSession):
    """Says the true hash of a file that exists, so that recipes find it again."""

    def attach(self, adapter: str, path: Path) -> AdapterAttached:
        said = super().attach(adapter, path)
        return replace(said, sha256=hash_file(path)) if path.exists() else said


@pytest.fixture
def session() -> Iterator[FakeSession]:
    session = HashingSession()
    yield session
    session.is_free = True


@pytest.fixture
def bridge(qtbot: QtBot, session: FakeSession) -> Iterator[EngineBridge]:
    """A started engine with the demo model loaded."""

    bridge = EngineBridge(lambda: session, Recorder())
    bridge.start()
    with qtbot.waitSignal(bridge.model_loaded):
        bridge.load_model("demo")
    yield bridge
    assert bridge.stop(60)


@pytest.fixture
def mix(qtbot: QtBot, bridge: EngineBridge) -> MixState:
    """An empty desk that knows the model."""
    mix = MixState(bridge)
    with qtbot.waitSignal(bridge.model_loaded):
        bridge.load_model("demo")
    return mix


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """Two built-in files and three of the user's, one of which is no Wan file and one no file at all."""
    folders = folders_in(tmp_path)
    write(folders.built_in / "halo.safetensors", wan_lora(), {"trigger_words": "halo, glow"})
    write(folders.built_in / "giant.safetensors", wan_lora(rank=8))
    write(folders.library / "a very long name of a file that nobody can read.safetensors", wan_lora())
    write(folders.library / "WaN_2.5_official.safetensors", sdxl_lora())
    (folders.library / "page.safetensors").write_text("<!DOCTYPE html><html>Not found</html>")
    return folders


@pytest.fixture
def program(qtbot: QtBot, folders: Folders, session: FakeSession) -> Iterator[Program]:
    """The whole window, shown and past its first start."""
    program = make_program(qtbot, folders, session)
    yield program
    session.is_free = True
    program.window.close()
    watcher().choose("system")


@pytest.fixture
def open_program(qtbot: QtBot, session: FakeSession) -> Callable[[Folders], Program]:
    return lambda folders: make_program(qtbot, folders, session)


def make_program(qtbot: QtBot, folders: Folders, session: FakeSession) -> Program:
    """Open the window as `main` does and wait until everything behind it is there."""
    program = Program(folders, lambda _device: session)
    with qtbot.waitSignals([program.catalog.scan_finished, program.bridge.model_loaded]):
        program.show()
    qtbot.waitUntil(lambda: program._is_laid_out)  # it hears of the end of the scan after the line above
    wait_for_desk(qtbot, program.mix)
    return program


def wait_for_desk(qtbot: QtBot, mix: MixState) -> None:
    """Until no strip's file is on its way any more: a count of signals would take one strip's for another's."""
    qtbot.waitUntil(lambda: all(mix.attachment(s.id).status != "attaching" for s in mix.strips))


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing waits for a thread as long as a busy machine may take."""
    monkeypatch.setattr("ui.app.PATIENCE", 60.0)


@pytest.fixture(autouse=True)
def dressed(qapp: QApplication) -> None:
    """Sizes depend on the style sheet."""
    dress(qapp)


@pytest.fixture(autouse=True, scope="module")
def own_windows(qapp: QApplication) -> Iterator[None]:
    """No file's tests are among the windows of another's."""
    yield
    delete_all(qapp)


@pytest.fixture
def two_strips(program: Program, qtbot: QtBot) -> Program:
    """The window with two strips that are attached: halo and giant."""
    for strip in program.mix.strips:
        program.mix.remove(strip.id)
    program.mix.add(program.folders.built_in / "halo.safetensors")
    program.mix.add(program.folders.built_in / "giant.safetensors")
    wait_for_desk(qtbot, program.mix)
    return program
