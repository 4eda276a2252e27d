"""The popup that says how a clip goes through the noise."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDoubleSpinBox
from pytestqt.qtbot import QtBot

from ui.stage.panel import StagePanel
from ui.stage.sampling import SamplingEditor
from ui.stage.setting_pill import SettingPill
from ui.state.run import RunState


@pytest.fixture
def pill(stage: StagePanel) -> SettingPill:
    return stage.settings_row.sampling_pill


@pytest.fixture
def editor(run: RunState, pill: SettingPill) -> SamplingEditor:
    run.change(replace(run.settings, steps=8))
    (editor,) = pill.open().findChildren(SamplingEditor)
    return editor


def paste(qtbot: QtBot, editor: SamplingEditor, text: str) -> None:
    editor.sigmas.selectAll()
    qtbot.keyClicks(editor.sigmas, text)
    qtbot.keyClick(editor.sigmas, Qt.Key.Key_Return)


def choose(editor: SamplingEditor, box_name: str, row: int) -> None:
    box = getattr(editor, box_name)
    box.setCurrentIndex(row)
    box.activated.emit(row)


def test_schedulers_have_names(run: RunState, editor: SamplingEditor, pill: SettingPill) -> None:
    titles = [editor.schedulers.itemText(row) for row in range(editor.schedulers.count())]
    assert titles == ["This model's own", "UniPC", "Euler", "DPM++ 2M", "LCM"]
    choose(editor, "schedulers", 4)
    assert run.settings.scheduler == "lcm" and pill.text() == "LCM · shift 3"
    choose(editor, "schedulers", 0)
    assert run.settings.scheduler is None and pill.text() == "shift 3"


def test_shift_and_its_way_back(qtbot: QtBot, run: RunState, editor: SamplingEditor) -> None:
    editor.shift.box.setValue(8)
    assert run.settings.shift == 8
    qtbot.mouseClick(editor.reset, Qt.MouseButton.LeftButton)
    assert run.settings.shift == 3 and editor.shift.box.value() == 3


def test_pasted_sigmas_say_how_many_steps(
    qtbot: QtBot, run: RunState, editor: SamplingEditor, pill: SettingPill
) -> None:
    paste(qtbot, editor, "1000, 937.5, 833.33, 625")
    assert run.settings.sigmas == (1, 0.9375, 0.83333, 0.625) and run.settings.steps == 4
    assert pill.text() == "4 σ" and not editor.shift.isEnabled()
    assert "2 steps HIGH, 2 LOW" in editor.note.text()
    editor.sigmas.clear()
    assert run.settings.sigmas is None and run.settings.steps == 4 and editor.shift.isEnabled()


def test_another_number_of_steps_computes_the_sigmas_again(run: RunState, stage: StagePanel) -> None:
    run.change(replace(run.settings, sigmas=(1.0, 0.5), steps=2))
    (box,) = stage.settings_row.steps_pill.open().findChildren(QDoubleSpinBox)
    box.setValue(6)
    assert (run.settings.steps, run.settings.sigmas) == (6, None)


def test_sigmas_that_go_up_are_explained_and_change_nothing(
    qtbot: QtBot, run: RunState, editor: SamplingEditor
) -> None:
    before = run.settings
    paste(qtbot, editor, "0.5, 0.9")
    assert run.settings == before
    assert "less than the number before" in editor.note.text() and editor.note.property("tone") == "refused"
    assert editor.sigmas.text() == "0.5, 0.9"
    paste(qtbot, editor, "0.9, 0.5")
    assert run.settings.sigmas == (0.9, 0.5) and editor.note.property("tone") == "secondary"


def test_the_boundary_is_the_models_a_sigma_or_a_step(run: RunState, editor: SamplingEditor) -> None:
    assert not editor.at_sigma.isVisible() and not editor.at_step.isVisible()
    choose(editor, "change", 1)
    assert run.settings.boundary == run.model.boundary and editor.at_sigma.isVisible()
    editor.at_sigma.box.setValue(0.5)
    assert (run.settings.boundary, run.settings.boundary_step) == (0.5, None)
    choose(editor, "change", 2)
    assert run.settings.boundary is None and editor.at_step.isVisible() and not editor.at_sigma.isVisible()
    editor.at_step.box.setValue(3)
    assert run.settings.boundary_step == 3 and "3 steps HIGH, 5 LOW" in editor.note.text()
    choose(editor, "change", 0)
    assert (run.settings.boundary, run.settings.boundary_step) == (None, None)


def test_fewer_steps_than_the_boundary_keep_one_for_each_expert(run: RunState) -> None:
    run.change(replace(run.settings, steps=8, boundary_step=6))
    run.change(replace(run.settings, steps=4))
    assert run.settings.boundary_step == 3
    run.change(replace(run.settings, steps=1))
    assert run.settings.boundary_step is None


def test_one_expert_has_no_boundary(run: RunState, pill: SettingPill) -> None:
    run.model = replace(run.model, experts=("high",), boundary=None)
    run.change(replace(run.settings, boundary=0.5, steps=6))
    assert run.settings.boundary is None
    (editor,) = pill.open().findChildren(SamplingEditor)
    assert not hasattr(editor, "change") and editor.note.text().startswith("6 steps")
