"""Files that come into the library by other means appear: with F5, and when one comes back to the window."""

import os
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
    later = (tmp_path / "loras").stat().st_mtime + 1
    os.utime(tmp_path / "loras", (later, later))  # some file systems count in hundredths of a second
    assert watch.has_changed() and not watch.has_changed()


# Another folder


def choose(program: Program, folder: Path) -> None:
    """As OK in the settings does."""
    program.settings.library = folder
    program.window.settings_changed.emit()


def test_another_library_is_shown_at_once_and_the_desk_stays(
    qtbot: QtBot, program: Program, folders: Folders, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    write(other / "new.safetensors", wan_lora(), fill=5)
    mine = next(entry for entry in program.cards.entries if entry.name.startswith("a very long"))
    strip = program.mix.add(mine.path, mine)
    built_in = {"halo", "giant"}
    choose(program, other)
    qtbot.waitUntil(lambda: names(program) == {"new", *built_in})
    kept = program.mix.strip(strip)
    assert kept is not None and kept.path.exists() and kept.entry == mine
    choose(program, folders.library)
    qtbot.waitUntil(lambda: mine.name in names(program) and "new" not in names(program))


def test_files_are_installed_into_the_library_of_now(
    qtbot: QtBot, program: Program, folders: Folders, tmp_path: Path
) -> None:
    before = sorted(folders.library.iterdir())
    write(tmp_path / "dropped.safetensors", wan_lora(), fill=7)
    choose(program, tmp_path / "other")
    assert "not there yet" in program.window.message_bar.messages[-1].sentence
    program.catalog.install([tmp_path / "dropped.safetensors"])
    qtbot.waitUntil(lambda: "dropped" in names(program))
    assert (tmp_path / "other" / "dropped.safetensors").exists()
    assert "looked through" not in program.window.message_bar.messages[-1].sentence
    assert sorted(folders.library.iterdir()) == before


def test_a_file_is_no_library(program: Program, folders: Folders, tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("")
    choose(program, tmp_path / "a file")
    assert program.window.message_bar.messages[-1].kind == "refused"
    assert program.settings.library == program.folders.library == folders.library


def test_coming_back_looks_into_the_folder_of_now(
    qtbot: QtBot, program: Program, folders: Folders, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    choose(program, tmp_path / "other")
    qtbot.waitUntil(lambda: names(program) == {"halo", "giant"})
    write(tmp_path / "other" / "late.safetensors", wan_lora(), fill=5)
    program.window.activateWindow()
    qtbot.waitUntil(program.window.isActiveWindow)
    QApplication.sendEvent(program.window, QEvent(QEvent.Type.ActivationChange))
    qtbot.waitUntil(lambda: "late" in names(program))
