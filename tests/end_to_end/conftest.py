"""Windows without a display over the real engine, and folders of the test's own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

import resources
from catalog.folders import Folders
from tests.end_to_end.acts import PATIENCE
from ui.app import Program, open_session

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(
        tmp_path / "loras", resources.path("demo") / "loras", tmp_path / "outputs", tmp_path / "state"
    )


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing waits for a thread as long as a busy machine may take."""
    monkeypatch.setattr("ui.app.PATIENCE", 240.0)


@pytest.fixture
def bare(qtbot: QtBot, folders: Folders) -> Iterator[Program]:
    """A newcomer's window with the demo model loaded and an empty desk."""
    program = Program(folders, lambda _device: open_session("cpu"))
    with qtbot.waitSignals([program.catalog.scan_finished, program.bridge.model_loaded], timeout=PATIENCE):
        program.show()
    qtbot.waitUntil(lambda: program._is_laid_out)  # it hears of the end of the scan after the line above
    qtbot.waitUntil(
        lambda: all(program.mix.attachment(s.id).status == "attached" for s in program.mix.strips),
        timeout=PATIENCE,
    )
    for strip in program.mix.strips:
        program.mix.remove(strip.id)
    yield program
    program.window.close()
