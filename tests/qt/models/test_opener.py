"""From the window: the menu, files dropped for LoRAs, and the saved model in the list of models."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtGui import QAction
from pytestqt.qtbot import QtBot

from catalog.folders import Folders
from catalog.install import InstallReport
from ui.app import Program
from ui.models.dialog import NewModelDialog

Parts = dict[str, Path]


def entries(program: Program) -> list[QAction]:
    menu = program.window.top_bar.chooser.menu()
    menu.aboutToShow.emit()
    return menu.actions()


def opened(program: Program) -> NewModelDialog:
    dialog = program.window.new_model.dialog
    assert dialog is not None
    return dialog


def save(qtbot: QtBot, dialog: NewModelDialog, name: str, parts: Parts) -> None:
    if not dialog.draft.files:
        with qtbot.waitSignal(dialog._bridge.finished):
            dialog.look(tuple(parts.values()))
    dialog.summary.confirm.click()
    dialog.name.setText(name)
    dialog.save.click()


def test_a_saved_model_is_opened_at_once_and_listed(
    qtbot: QtBot, program: Program, models: Path, parts: Parts
) -> None:
    next(action for action in entries(program) if action.text().startswith("New model")).trigger()
    with qtbot.waitSignal(program.bridge.model_loaded):
        save(qtbot, opened(program), "From files", parts)
    assert program.window.new_model.dialog is None
    assert program.run.model_name == str((models / "From files.wanmodel.json").resolve())
    assert program.window.top_bar.chooser.text() == program.run.model.title == "From files"
    listed = [action for action in entries(program) if action.text() == "From files"]
    assert len(listed) == 1 and listed[0].isChecked()
    program.run.open_model("demo")
    listed[0].trigger()
    assert program.run.model.title == "From files"


def test_model_files_dropped_for_loras_are_offered_the_dialog(
    qtbot: QtBot, program: Program, models: Path, parts: Parts, lora: Path
) -> None:
    bar = program.window.message_bar
    program.catalog.install((lora, *parts.values()))
    qtbot.waitUntil(lambda: bool(bar.messages and bar.messages[-1].actions))
    sentences = [message.sentence for message in bar.messages]
    assert "parts of a model" in sentences[-1] and not any("refused" in said for said in sentences)
    bar.messages[-1].actions[0].do()
    dialog = opened(program)
    qtbot.waitUntil(lambda: set(dialog.list.rows) == set(parts.values()))


def test_a_file_that_is_neither_is_refused_as_before(
    qtbot: QtBot, program: Program, models: Path, tmp_path: Path
) -> None:
    odd = tmp_path / "page.safetensors"
    odd.write_text("<!DOCTYPE html>")
    with qtbot.waitSignal(program.window.new_model.installed) as said:
        program.catalog.install([odd])
    report = said.args[0]
    assert isinstance(report, InstallReport) and [path for path, _ in report.refused] == [odd]
    assert "is not installed" in program.window.message_bar.messages[-1].sentence


@pytest.mark.parametrize("is_looking", [False, True])
def test_the_window_closes_with_the_dialog_open(
    program: Program, models: Path, comfy: Path, is_looking: bool
) -> None:
    program.window.new_model.open([comfy] if is_looking else [])
    program.window.close()
    assert not program.window.isVisible()


# Leaving the list


def removal(program: Program) -> dict[str, QAction]:
    """What can be taken off the list, by title."""
    entries(program)
    return {action.text(): action for action in program.window.top_bar.chooser._removal.actions()}


@pytest.fixture
def trash(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Stands in for the system's, which not every machine has."""
    folder = tmp_path / "trash"
    folder.mkdir()

    def move(file: str) -> bool:
        Path(file).rename(folder / Path(file).name)
        return True

    monkeypatch.setattr("ui.models.removal.QFile", SimpleNamespace(moveToTrash=move))
    return folder


@pytest.fixture
def saved(qtbot: QtBot, program: Program, models: Path, parts: Parts) -> Path:
    """A model that was made here, opened, and left for the demo."""
    program.window.new_model.open()
    with qtbot.waitSignal(program.bridge.model_loaded):
        save(qtbot, opened(program), "From files", parts)
    return models / "From files.wanmodel.json"


def test_a_saved_model_leaves_the_list_and_its_weights_stay(
    qtbot: QtBot, program: Program, saved: Path, parts: Parts, trash: Path
) -> None:
    assert not removal(program)["From files"].isEnabled(), "it is open"
    with qtbot.waitSignal(program.bridge.model_loaded):
        program.run.open_model("demo")
    description = saved.read_text("utf-8")
    removal(program)["From files"].trigger()
    assert "From files" not in [action.text() for action in entries(program)]
    assert not saved.exists() and (trash / saved.name).read_text("utf-8") == description
    assert all(part.is_file() for part in parts.values()) and program.settings.recent_models == ()
    said = program.window.message_bar.messages[-1]
    assert "off the list" in said.sentence and "weights stay" in said.advice
    (back,) = said.actions
    back.do()
    assert saved.read_text("utf-8") == description and "From files" in removal(program)


def test_a_trash_that_refuses_is_said(
    qtbot: QtBot, program: Program, saved: Path, trash: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.models.removal.QFile.moveToTrash", lambda file: False)
    program.window.remove_model(str(saved.resolve()), "From files")
    assert program.window.message_bar.messages[-1].kind == "refused" and saved.exists()


def test_a_folder_leaves_the_list_and_stays_on_the_disk(
    program: Program, models: Path, tmp_path: Path
) -> None:
    (tmp_path / "wan").mkdir()
    program.run.list_model(str(tmp_path / "wan"))
    assert program.settings.recent_models == (str(tmp_path / "wan"),)
    removal(program)["wan"].trigger()
    assert program.settings.recent_models == () and (tmp_path / "wan").is_dir()
    program.window.message_bar.messages[-1].actions[0].do()
    assert "wan" in removal(program)


def test_the_next_session_knows_the_models_of_this_one(
    program: Program, open_program: Callable[[Folders], Program], folders: Folders, tmp_path: Path
) -> None:
    (tmp_path / "wan").mkdir()
    program.run.list_model(str(tmp_path / "wan"))
    program.window.close()
    again = open_program(folders)
    assert again.run.recent_models == (str(tmp_path / "wan"),)
    again.window.close()
