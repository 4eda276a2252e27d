"""Prompts, pills and the editors under them."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QUndoStack
from PySide6.QtWidgets import QApplication, QDoubleSpinBox, QPushButton, QSlider
from pytestqt.qtbot import QtBot

from tests.fakes import FakeSession
from ui.stage.panel import StagePanel
from ui.stage.popup import Popup
from ui.stage.setting_pill import SettingPill
from ui.stage.settings_row import SettingsRow
from ui.state.run import RunState


@pytest.fixture
def row(stage: StagePanel) -> SettingsRow:
    return stage.settings_row


def boxes(popup: Popup) -> list[QDoubleSpinBox]:
    return popup.findChildren(QDoubleSpinBox)


def type_into(qtbot: QtBot, box: QDoubleSpinBox, text: str) -> None:
    box.selectAll()
    qtbot.keyClicks(box, text)
    qtbot.keyClick(box, Qt.Key.Key_Return)


def test_typing_a_prompt_is_heard_at_once(qtbot: QtBot, run: RunState, row: SettingsRow) -> None:
    row.prompts.prompt.selectAll()
    qtbot.keyClicks(row.prompts.prompt, "a fox")
    assert run.settings.prompt == "a fox"
    qtbot.keyClicks(row.prompts.negative, "fog")
    assert run.settings.negative_prompt == "fog"


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_ctrl_enter_renders_from_inside_the_prompt(
    qtbot: QtBot, run: RunState, row: SettingsRow, session: FakeSession, key: Qt.Key
) -> None:
    with qtbot.waitSignal(run.started):
        qtbot.keyClick(row.prompts.prompt, key, Qt.KeyboardModifier.ControlModifier)
    assert "\n" not in run.settings.prompt


def test_tab_leaves_the_prompt(qtbot: QtBot, row: SettingsRow) -> None:
    row.prompts.prompt.setFocus()
    qtbot.keyClick(row.prompts.prompt, Qt.Key.Key_Tab)
    assert row.prompts.negative.hasFocus() or QApplication.focusWidget() is row.prompts.negative


def test_a_new_prompt_from_elsewhere_can_be_undone(run: RunState, row: SettingsRow) -> None:
    before = run.settings.prompt
    run.change(replace(run.settings, prompt="from a recipe"))
    assert row.prompts.prompt.toPlainText() == "from a recipe"
    row.prompts.prompt.undo()
    assert row.prompts.prompt.toPlainText() == before == run.settings.prompt


def test_the_prompt_grows_with_its_words_up_to_a_limit(run: RunState, row: SettingsRow) -> None:
    edit = row.prompts.prompt
    one = edit.height()
    run.change(replace(run.settings, prompt="one\ntwo\nthree"))
    three = edit.height()
    run.change(replace(run.settings, prompt="\n".join("abcdefghij")))
    assert one < three < edit.height() < 3 * three


def test_the_negative_prompt_folds_to_one_line(qtbot: QtBot, run: RunState, row: SettingsRow) -> None:
    edit = row.prompts.negative
    run.change(replace(run.settings, negative_prompt="one\ntwo\nthree"))
    folded = edit.height()
    edit.setFocus()
    qtbot.waitUntil(lambda: edit.height() > folded)
    row.prompts.prompt.setFocus()
    qtbot.waitUntil(lambda: edit.height() == folded)


def test_pills_say_the_settings(run: RunState, row: SettingsRow) -> None:
    run.change(replace(run.settings, width=96, height=64, frames=17, steps=20, seed=5, shift=3.0))
    assert [pill.text() for pill in row.pills] == [
        "96 × 64", "17 frames · 1.1 s", "20 steps", "CFG  H 4  L 3", "shift 3", "seed 5",
    ]  # fmt: skip
    assert row.size_pill.accessibleName() == "Size: 96 × 64"


def test_sizes_are_the_models_and_any_other_it_accepts(qtbot: QtBot, run: RunState, row: SettingsRow) -> None:
    popup = row.size_pill.open()
    sizes = [button for button in popup.findChildren(QPushButton) if button.isCheckable()]
    assert [button.text() for button in sizes] == ["64 × 64", "96 × 64", "64 × 96", "96 × 96"]
    qtbot.mouseClick(sizes[1], Qt.MouseButton.LeftButton)
    assert (run.settings.width, run.settings.height) == (96, 64)
    assert [button.isChecked() for button in sizes] == [False, True, False, False]
    width, height = boxes(popup)
    type_into(qtbot, width, "71")
    assert run.settings.width == 64 and width.value() == 64
    type_into(qtbot, width, "65")  # lands on the same again: the box must not keep what was typed
    assert width.value() == 64
    type_into(qtbot, height, "128")
    assert run.settings.height == 128


def test_frames_come_in_the_models_steps(qtbot: QtBot, run: RunState, row: SettingsRow) -> None:
    popup = row.frames_pill.open()
    (box,), (slider,) = boxes(popup), popup.findChildren(QSlider)
    box.stepUp()
    assert run.settings.frames == 21 and slider.value() == 5
    slider.setValue(8)
    assert run.settings.frames == 33 and box.value() == 33
    type_into(qtbot, box, "12")
    assert run.settings.frames == 13


def test_guidance_per_expert(qtbot: QtBot, run: RunState, row: SettingsRow) -> None:
    high, low = boxes(row.guidance_pill.open())
    high.setValue(5.5)
    low.setValue(1)
    assert (run.settings.guidance.high, run.settings.guidance.low) == (5.5, 1.0)


def test_one_expert_has_one_guidance(run: RunState, row: SettingsRow) -> None:
    run.model = replace(run.model, experts=("high",), boundary=None)
    run.changed.emit()
    assert row.guidance_pill.text() == "CFG 4"
    (box,) = boxes(row.guidance_pill.open())
    box.setValue(6)
    assert (run.settings.guidance.high, run.settings.guidance.low) == (6.0, 6.0)


def test_seed_dice_and_lock(qtbot: QtBot, run: RunState, row: SettingsRow) -> None:
    (box,) = boxes(row.seed_pill.open())
    box.setValue(2**31 - 1)
    assert run.settings.seed == 2**31 - 1
    qtbot.mouseClick(row.dice, Qt.MouseButton.LeftButton)
    assert run.settings.seed != 2**31 - 1
    qtbot.mouseClick(row.lock, Qt.MouseButton.LeftButton)
    assert run.is_seed_locked and row.lock.isChecked() and row.lock.toolTip().startswith("Locked")


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Space, Qt.Key.Key_Down])
@pytest.mark.parametrize("place", range(6))
def test_editors_open_and_close_by_keyboard(qtbot: QtBot, row: SettingsRow, key: Qt.Key, place: int) -> None:
    pill: SettingPill = row.pills[place]
    qtbot.keyClick(pill, key)
    (popup,) = [each for each in pill.findChildren(Popup) if each.isVisible()]
    qtbot.keyClick(popup, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not pill.findChildren(Popup))


def test_a_closed_editor_hears_nothing(qtbot: QtBot, run: RunState, row: SettingsRow) -> None:
    popup = row.steps_pill.open()
    popup.close()
    qtbot.waitUntil(lambda: not row.steps_pill.findChildren(Popup))
    run.change(replace(run.settings, steps=3))


def test_a_closed_editor_took_what_was_typed(qtbot: QtBot, run: RunState, row: SettingsRow) -> None:
    popup = row.steps_pill.open()
    (box,) = boxes(popup)
    box.selectAll()
    qtbot.keyClicks(box, "7")
    popup.close()
    assert run.settings.steps == 7


def test_undo_of_the_desk_is_not_the_prompts(row: SettingsRow) -> None:
    assert row.prompts.prompt.isUndoRedoEnabled() and not row.findChildren(QUndoStack)
