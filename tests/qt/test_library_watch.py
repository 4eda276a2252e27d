"""Files that come into the library by other means appear: with F5, and when one comes back to the window."""

from pathlib import Path

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from catalog.folders import Folders
from tests.unit.catalog.builders import wan_lora, write
from ui.app import Program
from ui.library_watch import LibraryWatch


def names(program: Program) -> set[str]:
    return {entry.name for entry in program.cards.entries}


def test_f5_looks_again_and_says_when_it_is_done(qtbot: QtBot, program: Program, folders: Folders) -> None:
    write(folders.library / "new.safetensors", wan_lora(), fill=5)
    (look,) = (a for a in program.window.findChildren(QAction) if a.shortcut().toString() == "F5")
    with qtbot.waitSignal(program.catalog.scan_finished):
        look.trigger()
    assert "new" in names(program)
    assert "The library was looked through" in program.window.message_bar.messages[-1].sentence


@pytest.mark.parametrize("place", ["new.safetensors", "styles/new.safetensors"])
def test_coming_back_to_the_window_finds_what_was_copied_by_hand(
    qtbot: QtBot, program: Program, folders: Folders, place: str
) -> None:
    program.window.activateWindow()
    qtbot.waitUntil(program.window.isActiveWindow)
    write(folders.library / place, wan_lora(), fill=5)
    with qtbot.waitSignal(program.catalog.scan_finished):
        QApplication.sendEvent(program.window, QEvent(QEvent.Type.ActivationChange))
    assert "new" in names(program)


def test_the_watch_speaks_up_once_per_change(tmp_path: Path) -> None:
    watch = LibraryWatch(tmp_path / "loras")
    assert not watch.has_changed(), "a folder that is not there yet is no change"
    (tmp_path / "loras").mkdir()
    assert watch.has_changed() and not watch.has_changed()
    (tmp_path / "loras" / "a.safetensors").write_bytes(b"")
    assert watch.has_changed() and not watch.has_changed()
