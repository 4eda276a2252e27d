"""Pictures from the clipboard and from a take: kept as PNG files under the application's own folder."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.fakes import FakeSession
from tests.qt.inputs.conftest import Wear, drop, drop_data, files, said, slot
from ui.app import Program

Write = Callable[..., Path]
CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture(autouse=True)
def clipboard() -> Iterator[None]:
    yield
    QGuiApplication.clipboard().clear()


def copy(colour: str) -> None:
    image = QImage(40, 30, QImage.Format.Format_RGB32)
    image.fill(QColor(colour))
    QGuiApplication.clipboard().setImage(image)


def kept(program: Program) -> list[Path]:
    return sorted((program.folders.state / "pictures").glob("*"))


def paste(program: Program, qtbot: QtBot) -> None:
    with qtbot.waitSignal(program.pictures.saved):
        QTest.keyClick(program.window.stage.player, Qt.Key.Key_V, CTRL)


def activate(program: Program, qtbot: QtBot) -> None:
    program.window.activateWindow()
    qtbot.waitUntil(program.window.isActiveWindow)


def test_a_pasted_picture_is_kept_once_per_content(program: Program, qtbot: QtBot, wear: Wear) -> None:
    wear("wan2.2-i2v-a14b")
    activate(program, qtbot)
    copy("blue")
    paste(program, qtbot)
    (first,) = kept(program)
    assert first.suffix == ".png" and QColor(QImage(str(first)).pixel(5, 5)) == QColor("blue")
    start = program.inputs.inputs.start_image
    assert start is not None and Path(start.file) == first
    time = first.stat().st_mtime_ns
    paste(program, qtbot)
    assert kept(program) == [first] and first.stat().st_mtime_ns == time
    copy("red")
    paste(program, qtbot)
    assert len(kept(program)) == 2 and first.stat().st_mtime_ns == time


def test_a_picture_can_be_pasted_while_one_writes(program: Program, qtbot: QtBot, wear: Wear) -> None:
    wear("wan2.2-i2v-a14b")
    activate(program, qtbot)
    prompt = program.window.stage.settings_row.prompts.prompt
    prompt.setFocus()
    copy("blue")
    with qtbot.waitSignal(program.pictures.saved):
        QTest.keyClick(prompt, Qt.Key.Key_V, CTRL)
    QGuiApplication.clipboard().setText(" at sea")
    prompt.selectAll()
    QTest.keyClick(prompt, Qt.Key.Key_V, CTRL)
    assert program.run.settings.prompt == " at sea" and len(kept(program)) == 1


def test_pasting_on_a_slot_fills_that_slot(program: Program, qtbot: QtBot, wear: Wear) -> None:
    wear("wan2.2-i2v-a14b")
    activate(program, qtbot)
    copy("blue")
    end = slot(program, "Last frame")
    end.setFocus()
    with qtbot.waitSignal(program.pictures.saved):
        QTest.keyClick(end, Qt.Key.Key_V, CTRL)
    assert program.inputs.inputs.end_image is not None and program.inputs.inputs.start_image is None


def test_a_picture_dragged_out_of_a_browser_is_kept(program: Program, qtbot: QtBot, wear: Wear) -> None:
    wear("wan2.2-i2v-a14b")
    image = QImage(40, 30, QImage.Format.Format_RGB32)
    image.fill(QColor("green"))
    data = QMimeData()
    data.setImageData(image)
    data.setUrls([QUrl("https://example.com/a.png")])
    with qtbot.waitSignal(program.pictures.saved):
        drop_data(program, data, slot(program, "Last frame"))
    end = program.inputs.inputs.end_image
    assert end is not None and [Path(end.file)] == kept(program)
    assert QColor(QImage(end.file).pixel(3, 3)) == QColor("green")


def test_copied_files_are_used_where_they_are(
    program: Program, qtbot: QtBot, wear: Wear, picture: Write
) -> None:
    wear("wan2.2-i2v-a14b")
    activate(program, qtbot)
    file = picture("copied.png")
    QGuiApplication.clipboard().setMimeData(files(file))
    QTest.keyClick(program.window.stage.player, Qt.Key.Key_V, CTRL)
    start = program.inputs.inputs.start_image
    assert start is not None and Path(start.file) == file and kept(program) == []


def test_nothing_to_paste_is_said(program: Program, qtbot: QtBot, wear: Wear) -> None:
    wear("wan2.2-i2v-a14b")
    activate(program, qtbot)
    data = QMimeData()
    data.setText("words")
    QGuiApplication.clipboard().setMimeData(data)
    QTest.keyClick(program.window.stage.player, Qt.Key.Key_V, CTRL)
    assert "no picture on the clipboard" in said(program)


def test_a_folder_that_refuses_is_said(program: Program, qtbot: QtBot, wear: Wear) -> None:
    wear("wan2.2-i2v-a14b")
    activate(program, qtbot)
    program.folders.state.mkdir(parents=True, exist_ok=True)
    (program.folders.state / "pictures").write_text("a file where the folder should be")
    copy("blue")
    with qtbot.waitSignal(program.pictures.failed):
        QTest.keyClick(program.window.stage.player, Qt.Key.Key_V, CTRL)
    assert "cannot be kept" in said(program)


# Going on


def test_going_on_from_the_last_frame(
    program: Program, qtbot: QtBot, wear: Wear, picture: Write, session: FakeSession
) -> None:
    wear("wan2.2-i2v-a14b")
    stage = program.window.stage
    assert not stage.go_on_action.isEnabled(), "there is no take yet"
    drop(program, picture())
    session.is_free = True
    with qtbot.waitSignal(program.run.finished):
        program.run.generate()
    take = program.run.takes.current
    assert take is not None and take.frames is not None and stage.go_on_action.isEnabled()
    with qtbot.waitSignal(program.pictures.saved):
        stage.go_on_action.trigger()
    start = program.inputs.inputs.start_image
    assert start is not None and Path(start.file) == kept(program)[0]
    image = QImage(start.file)
    assert QColor(image.pixel(3, 3)).red() == take.frames[-1, 3, 3, 0], "bit for bit"
    wear("wan2.2-t2v-a14b")
    assert not stage.go_on_action.isEnabled()
