"""From the window: the menu, a download behind the closed dialog, and the model that is opened at the end."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.hub_server import LocalHub
from tests.qt.shelf.conftest import DOUBLE, SMALL, wait_for_bytes
from ui.app import Program
from ui.shelf.bridge import ShelfBridge
from ui.shelf.dialog import ShelfDialog


@pytest.fixture
def window(program: Program, server: LocalHub) -> Iterator[Program]:
    program.window.shelf._bridge = ShelfBridge(program.window.shelf, server.endpoint)
    yield program
    if server.hold:
        server.hold.set()


def get_model(qtbot: QtBot, program: Program, id: str) -> ShelfDialog:
    """Open the dialog from the chooser's menu and choose a model."""
    shelf = program.window.shelf
    menu = program.window.top_bar.chooser.menu()
    menu.aboutToShow.emit()
    assert shelf._bridge is not None
    with qtbot.waitSignal(shelf._bridge.looked):
        next(action for action in menu.actions() if action.text().startswith("Get a model")).trigger()
    assert shelf.dialog is not None
    shelf.dialog.list.pick(id)
    return shelf.dialog


def test_a_folder_is_opened_once_it_is_here(qtbot: QtBot, window: Program) -> None:
    dialog = get_model(qtbot, window, SMALL)
    with qtbot.waitSignal(window.bridge.model_loaded):
        dialog.foot.main.click()
    folder = window.folders.models / "Wan2.1-T2V-1.3B-Diffusers"
    assert window.run.model_name == str(folder) and not dialog.isVisible()


def test_single_files_come_up_as_a_new_model(qtbot: QtBot, window: Program) -> None:
    dialog = get_model(qtbot, window, DOUBLE)
    dialog.foot.main.click()
    new_model = window.window.new_model
    qtbot.waitUntil(lambda: new_model.dialog is not None)
    assert new_model.dialog is not None
    draft = new_model.dialog.draft
    qtbot.waitUntil(lambda: len(draft.files) == 5)
    assert set(draft.roles.values()) == {"high", "low", "vae", "text_encoder", "tokenizer"}
    new_model.dialog.reject()


def test_behind_a_closed_dialog_the_window_tells_of_it(
    qtbot: QtBot, window: Program, server: LocalHub
) -> None:
    dialog = get_model(qtbot, window, SMALL)
    server.hold = threading.Event()
    dialog.foot.main.click()
    wait_for_bytes(qtbot, server, dialog)
    dialog.close()
    bar, chooser = window.window.message_bar, window.window.top_bar.chooser
    assert "background" in bar.messages[-1].sentence and "%" in chooser.text()
    server.hold.set()
    qtbot.waitUntil(lambda: "is here" in bar.messages[-1].sentence)
    assert "%" not in chooser.text() and window.run.model_name == "demo"
    with qtbot.waitSignal(window.bridge.model_loaded):
        bar.messages[-1].actions[0].do()


def test_quitting_keeps_what_has_come(
    qtbot: QtBot, window: Program, server: LocalHub, tmp_path: Path
) -> None:
    dialog = get_model(qtbot, window, SMALL)
    server.hold = threading.Event()
    dialog.foot.main.click()
    wait_for_bytes(qtbot, server, dialog)
    threading.Timer(0.5, server.hold.set).start()
    window.window.close()
    parts = list(window.folders.models.rglob("*.part"))
    assert len(parts) == 1 and parts[0].stat().st_size > 0


def test_the_chosen_folder_is_remembered(qtbot: QtBot, window: Program, tmp_path: Path) -> None:
    dialog = get_model(qtbot, window, SMALL)
    dialog.folder_chosen.emit(tmp_path / "large disk")
    again = type(window.settings)(window.folders)
    assert again.models == tmp_path / "large disk"
