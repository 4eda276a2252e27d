"""The dialog over a Hub on this machine: what it offers, and a download from its beginning to every end."""

import threading
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from tests.hub_server import LocalHub, local_hub
from tests.qt.shelf.conftest import DOUBLE, R22, SMALL, SMALL_FOLDER, Open, wait_for_bytes
from ui.shelf.dialog import ShelfDialog
from ui.shelf.model_list import OTHER
from ui.shelf.order import Order


def titles(dialog: ShelfDialog) -> list[str]:
    return [row.button.text() for row in dialog.ways.rows]


def click(button: QPushButton) -> None:
    assert button.isEnabled() and button.isVisible(), button.text()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def finish(qtbot: QtBot, dialog: ShelfDialog) -> None:
    with qtbot.waitSignal(dialog._state.finished):
        click(dialog.foot.main)


def halfway(qtbot: QtBot, server: LocalHub, dialog: ShelfDialog) -> None:
    """Begin a download, and let it come to the half of a large file."""
    server.hold = threading.Event()
    click(dialog.foot.main)
    wait_for_bytes(qtbot, server, dialog)


def until(qtbot: QtBot, dialog: ShelfDialog, phase: str) -> None:
    qtbot.waitUntil(lambda: dialog._state.phase == phase)


def mark(dialog: ShelfDialog, id: str) -> str:
    before = dialog.list.picked_id
    dialog.list.pick(id)
    said = str(dialog.list.currentItem().data(Qt.ItemDataRole.AccessibleTextRole))
    dialog.list.pick(before)
    return said.rpartition(", ")[2]


def test_ways_sizes_and_licences_are_shown(open_dialog: Open) -> None:
    dialog = open_dialog()
    dialog.list.pick(SMALL)
    assert titles(dialog) == ["Whole folder, as the authors publish it"]
    assert "apache-2.0" in dialog.licence.text() and "largest part" in dialog.needs.text()
    assert dialog.room.text().endswith("free") and dialog.foot.main.text() == "Download"
    dialog.list.pick(DOUBLE)
    assert titles(dialog) == ["Single files, fp16"]
    assert "not on the Hub" in dialog.note.text()  # its folder; the files are offered all the same
    assert R22 in dialog.licence.text()
    dialog.list.pick("wan2.2-ti2v-5b")
    assert not titles(dialog) and not dialog.foot.main.isEnabled()


def test_a_download_ends_with_a_model_that_can_be_opened(
    qtbot: QtBot, open_dialog: Open, tmp_path: Path
) -> None:
    dialog = open_dialog()
    dialog.list.pick(SMALL)
    finish(qtbot, dialog)
    assert mark(dialog, SMALL) == "here" and dialog.ways.rows[0].here.text() == "here"
    assert dialog.foot.main.text() == "Open" and not dialog.foot.cancel.isVisible()
    opened: list[Order] = []
    dialog.open_wanted.connect(opened.append)
    click(dialog.foot.main)
    assert opened[0].parts == (tmp_path / "models" / SMALL_FOLDER.split("/")[1],)
    assert (opened[0].parts[0] / "model_index.json").is_file()


def test_cancelled_downloads_are_resumed(
    qtbot: QtBot, server: LocalHub, open_dialog: Open, tmp_path: Path
) -> None:
    dialog = open_dialog()
    dialog.list.pick(SMALL)
    halfway(qtbot, server, dialog)
    assert dialog.foot.status.text().startswith("Wan 2.1 T2V 1.3B") and dialog.foot.bar.isVisible()
    assert dialog.foot.bar.value() > 0 and mark(dialog, SMALL) == "downloading"
    click(dialog.foot.cancel)
    assert server.hold
    server.hold.set()
    until(qtbot, dialog, "stopped")
    assert "kept" in dialog.foot.status.text() and dialog.ways.rows[0].here.text().endswith("% here")
    assert list((tmp_path / "models").rglob("*.part"))
    assert dialog.foot.main.text() == "Resume"
    asked = len(server.seen)
    finish(qtbot, dialog)
    assert any("range" in headers for _, _, headers in server.seen[asked:])
    assert not list((tmp_path / "models").rglob("*.part"))


def test_closing_leaves_the_download_going(
    qtbot: QtBot, server: LocalHub, open_dialog: Open, tmp_path: Path
) -> None:
    dialog = open_dialog()
    dialog.list.pick(SMALL)
    halfway(qtbot, server, dialog)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible() and server.hold
    with qtbot.waitSignal(dialog._state.finished):
        server.hold.set()
    assert (tmp_path / "models" / "Wan2.1-T2V-1.3B-Diffusers" / "model_index.json").is_file()
    dialog.show()
    assert dialog.foot.main.text() == "Open"


def test_there_is_one_download_at_a_time(qtbot: QtBot, server: LocalHub, open_dialog: Open) -> None:
    dialog = open_dialog()
    dialog.list.pick(SMALL)
    halfway(qtbot, server, dialog)
    dialog.list.pick(DOUBLE)
    assert not dialog.foot.main.isEnabled() and "One download" in dialog.foot.main.toolTip()
    assert dialog.foot.cancel.isVisible() and "1.3B" in dialog.foot.status.text()


def test_without_a_network_it_opens_and_says_so(qtbot: QtBot, open_dialog: Open) -> None:
    with local_hub() as gone:
        nobody = gone.endpoint
    dialog = open_dialog(nobody)
    assert dialog.list.count() > 5 and dialog.list.picked_id
    assert "cannot be reached" in dialog.note.text() and not dialog.foot.main.isEnabled()
    with qtbot.waitSignal(dialog._state._bridge.looked):
        click(dialog.again)
    assert "cannot be reached" in dialog.note.text()


def test_the_licence_that_is_to_be_accepted_is_named(server: LocalHub, open_dialog: Open) -> None:
    server.add("Wan-AI/Wan2.2-TI2V-5B-Diffusers", {}, status=403, code="GatedRepo")
    dialog = open_dialog()
    dialog.list.pick("wan2.2-ti2v-5b")
    said = dialog.note.text()
    assert "hf auth login" in said and "huggingface.co/Wan-AI/Wan2.2-TI2V-5B-Diffusers" in said


def test_a_full_disk_is_said_before_anything_is_written(
    qtbot: QtBot, open_dialog: Open, tmp_path: Path
) -> None:
    dialog = open_dialog(free=lambda folder: 1000)
    dialog.list.pick(SMALL)
    click(dialog.foot.main)
    until(qtbot, dialog, "failed")
    assert "1000 bytes free" in dialog.foot.status.text() and not (tmp_path / "models").exists()
    assert dialog.foot.main.isEnabled()


def test_any_repository_can_be_looked_through(qtbot: QtBot, server: LocalHub, open_dialog: Open) -> None:
    server.add("me/files", {f"wan2.2-t2v-a14b-{noise}-noise-Q8_0.gguf": b"x" for noise in ("high", "low")})
    dialog = open_dialog()
    dialog.list.pick(OTHER)
    dialog.name.setText("nonsense")
    click(dialog.look)
    assert "owner/name" in dialog.note.text()
    dialog.name.setText("https://huggingface.co/me/files")
    with qtbot.waitSignal(dialog._state._bridge.looked):
        click(dialog.look)
    assert titles(dialog) == ["Wan 2.2 T2V A14B · Single files, GGUF Q8_0"]
    assert "me/files: apache-2.0" in dialog.licence.text()


def test_everything_can_be_reached_and_has_a_name(open_dialog: Open) -> None:
    dialog = open_dialog()
    dialog.list.pick(SMALL)
    buttons = [button for button in dialog.findChildren(QPushButton) if button.isVisible()]
    assert len(buttons) >= 4
    for button in buttons:
        assert button.accessibleName() and button.toolTip()
        assert button.focusPolicy() & Qt.FocusPolicy.TabFocus
