"""The dialog over real files and real threads: what is found, what blocks saving, what is written."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from catalog.checkpoints import Checkpoint
from catalog.model_assembly import place_for, read_assembly
from catalog.model_table import entry
from catalog.part_files import PartFile, Role
from tests.unit.catalog.builders import tree
from ui.models.bridge import PartsBridge
from ui.models.dialog import NewModelDialog

Parts = dict[str, Path]


@pytest.fixture
def bridge(qtbot: QtBot) -> Iterator[PartsBridge]:
    bridge = PartsBridge()
    yield bridge
    assert bridge.stop(60)


@pytest.fixture
def dialog(qtbot: QtBot, bridge: PartsBridge, models: Path) -> NewModelDialog:
    dialog = NewModelDialog(bridge, models)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def look(qtbot: QtBot, dialog: NewModelDialog, *paths: Path) -> None:
    with qtbot.waitSignal(dialog._bridge.finished):
        dialog.look(paths)


def drop(qtbot: QtBot, dialog: NewModelDialog, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(50, 50), copy, data, left, none)
    QApplication.sendEvent(dialog, enter)
    assert enter.isAccepted()
    with qtbot.waitSignal(dialog._bridge.finished):
        QApplication.sendEvent(dialog, QDropEvent(QPointF(50, 50), copy, data, left, none))


def choose(dialog: NewModelDialog, path: Path, role: Role) -> None:
    box = dialog.list.rows[path].role
    box.setCurrentIndex(box.findData(role))
    box.activated.emit(box.currentIndex())


def shown(dialog: NewModelDialog) -> dict[str, str]:
    return {path.name: row.role.currentText() for path, row in dialog.list.rows.items()}


def test_dropped_files_have_roles_and_make_a_model(
    qtbot: QtBot, dialog: NewModelDialog, parts: Parts, models: Path
) -> None:
    before = tree(parts["vae"].parent)
    drop(qtbot, dialog, *reversed(parts.values()))
    assert shown(dialog) == {
        "tokenizer.json": "tokenizer",
        "tiny_umt5.safetensors": "text encoder",
        "tiny_vae.safetensors": "VAE",
        "tiny_low_noise.safetensors": "low-noise expert",
        "tiny_high_noise.safetensors": "high-noise expert",
    }
    assert "file name" in dialog.list.rows[parts["high"]].doubt.text()
    assert not dialog.save.isEnabled() and "Confirm" in dialog.reason.text()
    dialog.summary.confirm.click()
    dialog.name.setText("Mine")
    with qtbot.waitSignal(dialog.saved) as saved:
        dialog.save.click()
    assembly = read_assembly(saved.args[0])
    assert assembly.title == "Mine" and assembly.path.parent == models
    assert assembly.parts["high"] == parts["high"] and assembly.parts["tokenizer"] == parts["tokenizer"]
    assert tree(parts["vae"].parent) == before, "the parts are used in place"


def test_experts_can_be_turned_and_that_confirms_them(
    qtbot: QtBot, dialog: NewModelDialog, parts: Parts
) -> None:
    look(qtbot, dialog, *parts.values())
    assert dialog.summary.confirm.isVisible()
    choose(dialog, parts["low"], "high")
    assert shown(dialog)["tiny_high_noise.safetensors"] == "low-noise expert"
    assert not dialog.summary.confirm.isVisible() and dialog.save.isEnabled()
    with qtbot.waitSignal(dialog.saved) as saved:
        dialog.save.click()
    assert read_assembly(saved.args[0]).parts["high"] == parts["low"]


def test_a_confirmation_holds_only_for_what_was_confirmed(
    qtbot: QtBot, dialog: NewModelDialog, parts: Parts
) -> None:
    look(qtbot, dialog, *(path for name, path in parts.items() if name != "vae"))
    dialog.summary.confirm.click()
    look(qtbot, dialog, parts["vae"])
    assert not dialog.summary.confirm.isChecked() and not dialog.save.isEnabled()


@pytest.mark.parametrize("left_out", ["high", "low", "vae", "text", "tokenizer"])
def test_a_missing_part_blocks_saving_and_says_where_it_can_be_had(
    qtbot: QtBot, dialog: NewModelDialog, parts: Parts, left_out: str
) -> None:
    look(qtbot, dialog, *(path for name, path in parts.items() if name != left_out))
    dialog.name.setText("Mine")
    assert not dialog.save.isEnabled() and "missing" in dialog.reason.text()
    assert dialog.save.toolTip() == dialog.reason.text()
    said = dialog.summary.missing
    assert said.isVisible() and "Get " in said.text() and "/" in said.text()
    assert said.textInteractionFlags() & Qt.TextInteractionFlag.TextSelectableByMouse
    dialog.accept()
    assert dialog.isVisible() and "missing" in dialog.draft.problem
    look(qtbot, dialog, parts[left_out])
    assert "missing" not in dialog.reason.text()


def test_files_that_are_no_parts_are_named_with_a_sentence(
    qtbot: QtBot, dialog: NewModelDialog, lora: Path, tmp_path: Path
) -> None:
    assert "Add the files" in dialog.reason.text()
    look(qtbot, dialog, lora, tmp_path / "gone.safetensors")
    rows = dialog.list.rows
    assert "LoRA" in rows[lora].toolTip() and "not there" in rows[tmp_path / "gone.safetensors"].toolTip()
    assert not any(row.role.isEnabled() for row in rows.values())
    assert set(shown(dialog).values()) == {"not used"}


def test_a_comfyui_folder_is_looked_through_in_place(
    qtbot: QtBot, dialog: NewModelDialog, comfy: Path
) -> None:
    look(qtbot, dialog, comfy)
    assert len(dialog.list.rows) == 4 and "1 other file" in dialog.status.text()
    assert [missing.part for missing in dialog.draft.proposal.missing] == ["tokenizer"]
    look(qtbot, dialog, comfy)
    assert len(dialog.list.rows) == 4


def test_a_name_that_is_taken_is_refused_and_nothing_is_replaced(
    qtbot: QtBot, dialog: NewModelDialog, parts: Parts, models: Path
) -> None:
    taken = place_for("Mine", models)
    taken.parent.mkdir(parents=True)
    taken.write_text("{}")
    look(qtbot, dialog, *parts.values())
    dialog.summary.confirm.click()
    assert dialog.name.text() and dialog.save.isEnabled(), "a free name is offered"
    for name in ("Mine", "  "):
        dialog.name.selectAll()
        QTest.keyClicks(dialog.name, name)
        assert not dialog.save.isEnabled() and "name" in dialog.reason.text()
    dialog.name.selectAll()
    QTest.keyClicks(dialog.name, "Later")
    place_for("Later", models).write_text("{}")  # while the dialog is open
    dialog.save.click()
    assert dialog.isVisible() and "saved already" in dialog.reason.text()
    assert taken.read_text() == place_for("Later", models).read_text() == "{}"


def test_a_disk_that_refuses_is_said_in_the_dialog(
    qtbot: QtBot, dialog: NewModelDialog, parts: Parts, models: Path
) -> None:
    models.parent.parent.mkdir(parents=True)
    models.parent.write_text("a file where the folder should be")
    look(qtbot, dialog, *parts.values())
    dialog.summary.confirm.click()
    dialog.save.click()
    assert dialog.isVisible() and "cannot be saved" in dialog.reason.text()


def test_escape_saves_nothing(qtbot: QtBot, dialog: NewModelDialog, parts: Parts, models: Path) -> None:
    look(qtbot, dialog, *parts.values())
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible() and not models.exists()


def test_everything_has_a_name_and_a_tool_tip_and_can_be_reached(
    qtbot: QtBot, dialog: NewModelDialog, parts: Parts
) -> None:
    look(qtbot, dialog, *parts.values())
    seen: list[QWidget] = []
    widget: QWidget = dialog
    while (widget := widget.nextInFocusChain()) is not dialog:
        seen.append(widget)
    boxes = [dialog.list.rows[path].role for path in parts.values()]
    order = [dialog.files, dialog.folder, *boxes, dialog.summary.confirm, dialog.name, dialog.cancel]
    assert [each for each in seen if each in order] == order, "Tab goes from top to bottom"
    for kind in (QAbstractButton, QComboBox, QLineEdit):
        for each in dialog.findChildren(kind):
            if each.isVisible():
                assert each.toolTip() and (each.accessibleName() or each.text()), each
                assert each in seen and each.focusPolicy() & Qt.FocusPolicy.TabFocus
    assert dialog.width() <= 1280 - 40 and dialog.minimumSizeHint().height() <= 680


def test_where_tensors_fit_several_models_one_can_choose(dialog: NewModelDialog, tmp_path: Path) -> None:
    names = ("wan2.1-t2v-14b", "wan2.1-phantom-14b", "wan2.2-t2v-a14b")
    row = entry(names[0])
    assert row is not None
    found = Checkpoint("transformer", "Wan 2.1 T2V 14B, bf16", architecture=row.architecture, models=names)
    dialog.draft.add([PartFile(tmp_path / "wan.safetensors", 1, "Wan 2.1 T2V 14B, bf16", found)])
    box = dialog.summary.model
    assert box.isVisible() and box.currentData() == names[0] and box.count() == 2
    assert "Wan 2.2 T2V A14B" in dialog.summary.note.text()
    box.setCurrentIndex(box.findData(names[1]))
    box.activated.emit(box.currentIndex())
    assert box.currentData() == names[1] and "Wan 2.1 T2V 14B" in box.itemText(box.findData(names[0]))
    choose(dialog, tmp_path / "wan.safetensors", "low")
    assert dialog.summary.title.text() == "Wan 2.2 T2V A14B" and not box.isVisible()
    assert "high noise" in dialog.summary.missing.text()
