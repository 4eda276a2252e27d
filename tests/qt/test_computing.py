"""How clips are computed: chosen in the settings, sent with every run, taken from what is opened."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QLabel
from pytestqt.qtbot import QtBot

from catalog.computing import Computing, FirstBlock
from catalog.folders import Folders
from catalog.recipe import Recipe
from engine.bridge import EngineBridge
from engine.messages import RunStarted
from ui.computing_settings import ComputingSettings
from ui.settings import Settings
from ui.settings_dialog import SettingsDialog
from ui.state.run import RunState

OTHER = Computing("exact", "math", False, FirstBlock(0.08))


def boxes_of(widget: ComputingSettings | SettingsDialog) -> dict[str, QComboBox]:
    return {box.accessibleName(): box for box in widget.findChildren(QComboBox)}


def test_what_is_chosen_is_kept(qtbot: QtBot, folders: Folders) -> None:
    settings = Settings(folders)
    assert settings.computing == Computing()
    dialog = SettingsDialog(settings)
    qtbot.addWidget(dialog)
    boxes = boxes_of(dialog)
    for name, value in (("How LoRAs are applied", "exact"), ("Who computes attention", "math")):
        boxes[name].setCurrentIndex(boxes[name].findData(value))
    dialog.findChildren(QDoubleSpinBox)[0].setValue(0.08)
    dialog.accept()
    assert settings.computing == Settings(folders).computing == OTHER


def test_settings_that_say_nothing_sensible_choose_nothing(folders: Folders) -> None:
    folders.state.mkdir(parents=True)
    for text in ("{", '"fast"', '{"way": "quick"}', "[" * 99999):
        settings = Settings(folders)
        settings._store.setValue("computing", text)
        settings._store.sync()
        assert Settings(folders).computing == Computing()


def test_every_way_comes_back_as_it_was_shown(qtbot: QtBot) -> None:
    for computing in (Computing(), OTHER, Computing("fast", "sage", True), Computing(compile=True)):
        widget = ComputingSettings(computing, {})
        qtbot.addWidget(widget)
        assert widget.computing == computing


def test_what_cannot_be_had_is_disabled_and_says_why(qtbot: QtBot) -> None:
    widget = ComputingSettings(
        Computing(), {"flash": "It needs an NVIDIA GPU.", "compile": "It needs Triton."}
    )
    qtbot.addWidget(widget)
    box = boxes_of(widget)["Who computes attention"]
    flash, plain = box.findData("flash"), box.findData("math")
    assert not box.model().flags(box.model().index(flash, 0)) & Qt.ItemFlag.ItemIsEnabled
    assert box.model().flags(box.model().index(plain, 0)) & Qt.ItemFlag.ItemIsEnabled
    assert "needs an NVIDIA GPU" in box.itemText(flash)
    compiled = widget.findChildren(QCheckBox)[0]
    assert not compiled.isEnabled() and "It needs Triton." in (
        label.text() for label in widget.findChildren(QLabel)
    )


def test_exact_loras_are_not_compiled(qtbot: QtBot) -> None:
    widget = ComputingSettings(Computing(compile=True), {})
    qtbot.addWidget(widget)
    box = boxes_of(widget)["How LoRAs are applied"]
    box.setCurrentIndex(box.findData("exact"))
    assert not widget.findChildren(QCheckBox)[0].isEnabled() and not widget.computing.compile
    box.setCurrentIndex(box.findData("fast"))
    assert widget.computing == Computing("fast", compile=True)


def test_a_run_is_asked_for_as_the_settings_say(bridge: EngineBridge) -> None:
    run = RunState(bridge)
    assert run.recipe().computing is None
    run.compute_with(OTHER)
    assert run.recipe().computing == OTHER


def test_an_opened_recipe_is_computed_as_it_was_and_the_window_says_so(bridge: EngineBridge) -> None:
    run, said = RunState(bridge), list[str]()
    run.message.connect(lambda kind, sentence, *_: said.append(sentence))
    run.apply_recipe(Recipe(computing=Computing(attention="sdpa")))
    assert run.recipe().computing is None and not said, "that is what the settings mean, too"
    run.apply_recipe(Recipe(computing=OTHER))
    assert run.recipe().computing == OTHER and "another way" in said[0]
    run.apply_recipe(Recipe())
    assert run.recipe().computing == OTHER, "a recipe that leaves it open leaves it to the user"


def test_what_is_not_computed_as_asked_is_said_once(bridge: EngineBridge) -> None:
    run, said = RunState(bridge), list[str]()
    run.message.connect(lambda kind, sentence, *_: said.append(sentence))
    for number in (1, 2):
        bridge.run_started.emit(RunStarted(number, Recipe(), (1.0,), ("high",), notices=("No flash here.",)))
    assert said == ["No flash here."]
