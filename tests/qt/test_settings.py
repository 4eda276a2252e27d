"""Settings survive, and the dialog that edits them can be used without a mouse."""

from pathlib import Path

from PySide6.QtWidgets import QAbstractSpinBox, QCheckBox, QComboBox, QLineEdit, QPushButton, QSpinBox
from pytestqt.qtbot import QtBot

from catalog.folders import Folders
from ui.settings import MEMORY, Settings
from ui.settings_dialog import SettingsDialog
from ui.theme import theme, watcher


def test_settings_come_back(folders: Folders, tmp_path: Path) -> None:
    settings = Settings(folders)
    assert settings.is_first_start and settings.theme == "system"
    settings.theme, settings.device, settings.outputs = "light", "cpu", tmp_path / "Ü b"
    settings.is_live, settings.memory = True, 0
    settings.recent_models = ("/models/Wan 2.2, I2V", "/models/ü")
    settings.save()
    assert Settings(folders).is_first_start, "nothing was shown yet"
    settings.is_first_start = False
    settings.save()
    again = Settings(folders)
    assert not again.is_first_start
    assert (again.theme, again.device, again.outputs) == ("light", "cpu", tmp_path / "Ü b")
    assert again.library == folders.library
    assert again.is_live and again.memory == 0
    assert again.recent_models == ("/models/Wan 2.2, I2V", "/models/ü")


def test_unknown_values_mean_defaults(folders: Folders) -> None:
    folders.state.mkdir(parents=True)
    (folders.state / "settings.ini").write_text(
        "[General]\ntheme=purple\ndevice=toaster\nmemory=-3\nrecent%20models={}\n"
    )
    settings = Settings(folders)
    assert settings.memory == MEMORY
    assert (settings.theme, settings.device) == ("system", "auto")
    assert settings.recent_models == ()


def test_a_state_folder_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    Settings(Folders(tmp_path, tmp_path, tmp_path, blocked / "state")).save()


def test_the_dialog_keeps_what_was_chosen(qtbot: QtBot, folders: Folders) -> None:
    settings = Settings(folders)
    dialog = SettingsDialog(settings)
    qtbot.addWidget(dialog)
    boxes = {box.accessibleName(): box for box in dialog.findChildren(QComboBox)}
    fields = {field.accessibleName(): field for field in dialog.findChildren(QLineEdit)}
    boxes["Theme"].setCurrentIndex(boxes["Theme"].findData("light"))
    fields["Output folder"].setText("  ")
    fields["Library folder"].setText("/somewhere/else")
    dialog.findChildren(QSpinBox)[0].setValue(6)
    try:
        dialog.accept()
        assert settings.theme == "light" and not theme().is_dark
        assert settings.outputs == folders.outputs, "nothing typed changes nothing"
        assert Settings(folders).library == Path("/somewhere/else") and Settings(folders).memory == 6
    finally:
        watcher().choose("system")


def test_cancelling_changes_nothing(qtbot: QtBot, folders: Folders) -> None:
    settings = Settings(folders)
    dialog = SettingsDialog(settings)
    qtbot.addWidget(dialog)
    dialog.findChildren(QComboBox)[0].setCurrentIndex(2)
    dialog.reject()
    assert settings.theme == "system"


def test_every_control_of_the_dialog_explains_itself(qtbot: QtBot, folders: Folders) -> None:
    dialog = SettingsDialog(Settings(folders))
    qtbot.addWidget(dialog)
    controls = [
        *dialog.findChildren(QComboBox),
        *(line for line in dialog.findChildren(QLineEdit) if not isinstance(line.parent(), QAbstractSpinBox)),
        *dialog.findChildren(QPushButton),
        *dialog.findChildren(QAbstractSpinBox),
        *dialog.findChildren(QCheckBox),
    ]
    assert len(controls) == 14
    assert all(c.accessibleName() or (isinstance(c, QPushButton) and c.text()) for c in controls)
    assert all(c.toolTip() for c in controls)
