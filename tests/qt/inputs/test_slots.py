"""The slots: what they show, what they say, and the keyboard."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAction, QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QMenu
from pytestqt.qtbot import QtBot

from tests.fakes import FakeSession
from tests.qt.inputs.conftest import Wear, drop, said, slot, slots
from ui.app import Program
from ui.inputs import reader
from ui.inputs.look import Look, Wanted, look_at
from ui.inputs.slot import Slot
from ui.state.input_places import Place

Write = Callable[..., Path]


@pytest.fixture
def start(program: Program, qtbot: QtBot, wear: Wear, picture: Write) -> Slot:
    """The slot of a start image that is there and was seen."""
    wear("wan2.2-i2v-a14b")
    drop(program, picture("a cat.png", 400, 400))
    found = slot(program, "Start image")
    qtbot.waitUntil(lambda: program.inputs.look(found.place) is not None)
    return found


def actions(widget: Slot) -> dict[str, QAction]:
    """What the menu that is open offers, in plain words."""
    menu = next(menu for menu in widget.findChildren(QMenu) if menu.isVisible())
    return {
        action.text().replace("&", "").split("\t")[0]: action for action in menu.actions() if action.text()
    }


def test_only_models_that_take_pictures_have_slots(program: Program, wear: Wear) -> None:
    assert slots(program) == []
    wear("wan2.2-t2v-a14b")
    assert slots(program) == []
    wear("wan2.2-i2v-a14b")
    assert [each.place.title for each in slots(program)] == ["Start image", "Last frame"]
    wear("wan2.1-flf2v-14b")
    assert "needed" in slot(program, "Last frame").toolTip()
    wear("wan2.2-t2v-a14b")
    assert slots(program) == []


def test_a_slot_says_what_is_in_it(program: Program, start: Slot) -> None:
    assert start.accessibleName().startswith("Start image, a cat.png")
    assert "400 × 400 pixels" in start.toolTip() and str(Path("a cat.png")) in start.toolTip()


def test_an_empty_slot_that_is_needed_says_what_to_drop(program: Program, wear: Wear) -> None:
    wear("wan2.2-i2v-a14b")
    assert slot(program, "Start image").accessibleName() == "Start image, drop an image here"
    assert slot(program, "Last frame").accessibleName() == "Last frame, optional"


def test_generate_says_what_is_missing_and_sends_nothing(
    program: Program, qtbot: QtBot, wear: Wear, session: FakeSession
) -> None:
    wear("wan2.2-i2v-a14b")
    seed = program.run.settings.seed
    program.run.generate()
    assert "needs a start image" in said(program)
    assert program.run.phase == "idle" and not session.played and program.run.settings.seed == seed
    program.run.draft()
    assert program.run.phase == "idle"


def test_crop_and_pad_turn(program: Program, start: Slot) -> None:
    widen(program)
    assert start.fit.isVisible() and start.fit.text() == "Crop"
    start.fit.click()
    given = program.run.recipe().inputs.start_image
    assert given is not None and given.fit == "pad" and start.fit.text() == "Pad"
    assert "padded to 832 × 480" in start.accessibleName()


def widen(program: Program) -> None:
    program.run.change(replace(program.run.settings, width=832, height=480))


def test_what_is_painted_is_what_the_model_sees(program: Program, start: Slot) -> None:
    widen(program)
    red = QColor("#C06040")

    def edge() -> QColor:
        """The left edge of the picture, as wide as a padded square would leave it black."""
        return QColor(start.grab().toImage().pixel(8, 22))

    assert abs(edge().red() - red.red()) < 8
    program.inputs.set_fit(start.place, "pad")
    assert edge().lightness() < 8


def test_delete_removes_and_the_focus_stays(program: Program, qtbot: QtBot, start: Slot) -> None:
    program.window.activateWindow()
    qtbot.waitUntil(program.window.isActiveWindow)
    start.setFocus()
    QTest.keyClick(start, Qt.Key.Key_Delete)
    assert program.inputs.picture(start.place) is None
    assert QApplication.focusWidget() is slot(program, "Start image")


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Space])
def test_the_menu_opens_by_key_and_turns_the_fit(program: Program, start: Slot, key: Qt.Key) -> None:
    QTest.keyClick(start, key)
    offered = actions(start)
    assert {"Replace…", "Show in folder", "Remove"} <= set(offered)
    next(action for text, action in offered.items() if text.startswith("Pad")).trigger()
    given = program.inputs.picture(start.place)
    assert given is not None and given.fit == "pad"


def test_an_empty_slot_asks_for_a_file(
    program: Program, wear: Wear, picture: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    wear("wan2.2-i2v-a14b")
    file = picture("chosen.png")
    monkeypatch.setattr("ui.inputs.slot.QFileDialog.getOpenFileName", lambda *_: (str(file), ""))
    QTest.keyClick(slot(program, "Last frame"), Qt.Key.Key_Return)
    end = program.inputs.inputs.end_image
    assert end is not None and Path(end.file) == file


def test_tab_goes_from_slot_to_slot(program: Program, qtbot: QtBot, start: Slot) -> None:
    program.window.activateWindow()
    qtbot.waitUntil(program.window.isActiveWindow)
    start.setFocus()
    seen = []
    for _ in range(3):
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        seen.append(QApplication.focusWidget())
    assert start.remove in seen and slot(program, "Last frame") in seen


# Files


def test_a_broken_file_is_said_and_mended_files_are_seen(
    program: Program, qtbot: QtBot, wear: Wear, picture: Write, tmp_path: Path
) -> None:
    wear("wan2.2-ti2v-5b")
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nnot much of a picture")
    drop(program, broken)
    place = slot(program, "Start image").place
    qtbot.waitUntil(lambda: bool(problem(program, place)))
    assert problem(program, place) in slot(program, "Start image").toolTip()
    program.run.generate()
    assert "broken.png" in said(program) and program.run.phase == "idle"
    broken.write_bytes(picture("whole.png").read_bytes())
    QApplication.sendEvent(program.window.stage.input_row, QEvent(QEvent.Type.WindowActivate))
    qtbot.waitUntil(lambda: not problem(program, place))
    assert program.run.hindrance == ("", "")


def problem(program: Program, place: Place) -> str:
    look = program.inputs.look(place)
    return look.problem if look else ""


def test_files_are_opened_off_the_windows_thread(
    program: Program, qtbot: QtBot, wear: Wear, picture: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []

    def look(wanted: Wanted, check: Callable[[], None]) -> Look:
        threads.append(threading.current_thread())
        return look_at(wanted, check)

    monkeypatch.setattr(reader, "look_at", look)
    wear("wan2.2-i2v-a14b")
    with qtbot.waitSignal(program.pictures.seen):
        drop(program, picture())
    assert threads and threading.main_thread() not in threads


def test_a_picture_that_is_painted_over_is_seen_anew(
    program: Program, qtbot: QtBot, start: Slot, picture: Write
) -> None:
    row = program.window.stage.input_row
    before = program.inputs.look(start.place)
    QApplication.sendEvent(row, QEvent(QEvent.Type.WindowActivate))
    picture("a cat.png", 640, 400, "#101010")

    def is_seen() -> bool:
        """One comes back again and again: the look before may have met half of the new file."""
        QApplication.sendEvent(row, QEvent(QEvent.Type.WindowActivate))
        look = program.inputs.look(start.place)
        return look is not None and look is not before and look.shape == (640, 400)

    qtbot.waitUntil(is_seen)


def test_pictures_are_seen_upright(tmp_path: Path) -> None:
    image = Image.new("RGB", (300, 200), "green")
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.jpg", exif=exif)
    look = look_at(Wanted(str(tmp_path / "turned.jpg")))
    assert look.shape == (200, 300) and look.image.height() > look.image.width()


def test_large_pictures_are_shown_small(tmp_path: Path) -> None:
    Image.new("RGB", (5000, 2500), "green").save(tmp_path / "large.jpg")
    look = look_at(Wanted(str(tmp_path / "large.jpg")))
    assert look.shape == (5000, 2500) and max(look.image.width(), look.image.height()) <= 320


def test_what_only_the_engine_can_read_is_seen_too(tmp_path: Path) -> None:
    Image.new("RGB", (300, 200), "green").save(tmp_path / "a.avif")
    look = look_at(Wanted(str(tmp_path / "a.avif")))
    assert look.shape == (300, 200) and QColor(look.image.pixel(9, 9)).green() > 100


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.png", b""), ("text.jpg", b"hello"), ("cut.mp4", b"\0\0\0\x18ftypmp42\0\0\0\0"),
        ("drawing.png", b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"),
        ("cut.webm", b"\x1a\x45\xdf\xa3\0\0"), ("page.gif", b"GIF89a"), ("a.webp", b"RIFF\0\0\0\0WEBPVP8 "),
    ],
)  # fmt: skip
def test_nothing_broken_crashes(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert look_at(Wanted(str(tmp_path / name))).problem


def test_a_picture_that_moves_is_refused_as_the_engine_does(tmp_path: Path) -> None:
    first, second = Image.new("RGB", (64, 64), "green"), Image.new("RGB", (64, 64), "red")
    first.save(tmp_path / "a.webp", save_all=True, append_images=[second], duration=100)
    assert "moves" in look_at(Wanted(str(tmp_path / "a.webp"))).problem


@pytest.mark.parametrize("name", ["gone.png", ".", "//server/share/a.png", "\\\\server\\share\\a.png"])
def test_what_is_not_there_or_elsewhere_is_said(tmp_path: Path, name: str) -> None:
    file = name if name[0] in "/\\" else str(tmp_path / name)
    assert look_at(Wanted(file)).problem


# The window as a whole


@pytest.fixture
def crowded(program: Program, qtbot: QtBot, wear: Wear, picture: Write) -> Program:
    """A window with all that a model can be given."""
    wear("wan2.1-vace-14b")
    for number in range(8):
        program.inputs.put(picture(f"{number}.png"), Place("reference_images", number))
    for title in ("Start image", "Last frame"):
        drop(program, picture("end.png"), on=slot(program, title))
    qtbot.waitUntil(lambda: all(program.inputs.look(each.place) for each in slots(program)[3:]))
    return program


def test_every_control_of_the_slots_has_a_name_and_a_tool_tip(crowded: Program) -> None:
    row = crowded.window.stage.input_row
    assert row is not None
    buttons = row.findChildren(QAbstractButton)
    assert len(buttons) > 20
    assert [each for each in buttons if not each.accessibleName() or not each.toolTip()] == []


@pytest.mark.parametrize("size", [(1100, 680), (1280, 720), (1600, 1000)])
def test_the_stage_holds_all_slots_at_any_size(crowded: Program, qtbot: QtBot, size: tuple[int, int]) -> None:
    window = crowded.window
    window.resize(*size)
    qtbot.waitUntil(lambda: (window.width(), window.height()) == size)
    stage, row = window.stage, window.stage.input_row
    assert row is not None
    qtbot.waitUntil(lambda: stage.rect().contains(row.geometry()))
    assert all(row.rect().contains(each.geometry()) for each in row.slots)
    assert stage.player.height() >= 120
