"""Pictures and clips that are dropped on the window."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from catalog.input_files import check_given
from catalog.recipe import Recipe
from engine.ffmpeg import encode
from engine.video import save
from tests.qt.inputs.conftest import Wear, drop, hover, said, slot, slots
from ui.app import Program
from ui.state.input_places import lacking

Write = Callable[..., Path]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A clip of our own that begins black and ends red, with its recipe inside."""
    frames = np.zeros((9, 64, 96, 3), np.uint8)
    frames[-3:, ..., 0] = 255
    save(tmp_path / "red.mp4", frames, 8, Recipe(prompt="a red end"))
    return tmp_path / "red.mp4"


def named(program: Program) -> dict[str, str]:
    """What is in the slots, by their titles."""
    found = {each.place.title: program.inputs.picture(each.place) for each in slots(program)}
    return {title: Path(picture.file).name for title, picture in found.items() if picture}


def test_an_image_on_the_stage_is_the_start_image_and_gives_the_clip_its_shape(
    program: Program, qtbot: QtBot, wear: Wear, picture: Write
) -> None:
    wear("wan2.2-i2v-a14b")
    file = picture("tall.png", 400, 700)
    drop(program, file)
    start = program.run.recipe().inputs.start_image
    assert start is not None and Path(start.file) == file.absolute() and start.fit == "crop"
    qtbot.waitUntil(lambda: (program.run.settings.width, program.run.settings.height) == (480, 832))


def test_a_picture_of_another_shape_brings_sizes_of_its_own_and_the_old_one_can_be_had_back(
    program: Program, qtbot: QtBot, wear: Wear, picture: Write
) -> None:
    model = wear("wan2.2-i2v-a14b")
    drop(program, picture("photo.png", 600, 400))
    qtbot.waitUntil(lambda: (program.run.settings.width, program.run.settings.height) == (768, 512))
    editor = program.window.stage.settings_row.size_pill.open()
    buttons = {button.text(): button for button in editor.findChildren(type(program.window.top_bar.generate))}
    assert set(buttons) >= {"768 × 512", *(f"{w} × {h}" for w, h in model.defaults.sizes)}
    buttons["832 × 480"].click()
    editor.close()
    assert (program.run.settings.width, program.run.settings.height) == (832, 480)
    assert slot(program, "Start image").fit.isVisible(), "now something of it is cut off"


def test_the_second_image_is_the_last_frame(program: Program, wear: Wear, picture: Write) -> None:
    wear("wan2.2-i2v-a14b")
    drop(program, picture("a.png"))
    drop(program, picture("b.png"))
    assert named(program) == {"Start image": "a.png", "Last frame": "b.png"}


def test_a_model_without_a_last_frame_takes_the_newer_start(
    program: Program, wear: Wear, picture: Write
) -> None:
    wear("wan2.2-ti2v-5b")
    drop(program, picture("a.png"))
    drop(program, picture("b.png"))
    assert named(program) == {"Start image": "b.png"}


def test_an_image_goes_into_the_slot_it_is_dropped_on(program: Program, wear: Wear, picture: Write) -> None:
    wear("wan2.2-i2v-a14b")
    drop(program, picture("end.png"), on=slot(program, "Last frame"))
    assert named(program) == {"Last frame": "end.png"}


def test_a_clip_on_the_window_opens_its_recipe(
    program: Program, qtbot: QtBot, wear: Wear, clip: Path
) -> None:
    wear("wan2.2-i2v-a14b")
    drop(program, clip)
    qtbot.waitUntil(lambda: program.run.settings.prompt == "a red end")
    assert not program.inputs.inputs.pictures


def test_a_clip_on_the_start_slot_goes_on_from_its_last_frame(
    program: Program, qtbot: QtBot, wear: Wear, clip: Path
) -> None:
    wear("wan2.2-i2v-a14b")
    start = slot(program, "Start image")
    drop(program, clip, on=start)
    assert named(program) == {"Start image": "red.mp4"}
    qtbot.waitUntil(lambda: program.inputs.look(start.place) is not None)
    look = program.inputs.look(start.place)
    assert look is not None and look.shape == (96, 64)
    assert QColor(look.image.pixel(40, 20)).red() > 200, "that is the end of the clip"
    assert "last frame" in start.toolTip()


def test_reference_images_are_several(program: Program, wear: Wear, picture: Write) -> None:
    wear("wan2.1-vace-14b")
    drop(program, picture("a.png"), picture("b.png"), on=slot(program, "Reference 1"))
    drop(program, picture("c.png"), on=slot(program, "Reference 3"))
    given = program.run.recipe().inputs.reference_images
    assert [Path(each.file).name for each in given] == ["a.png", "b.png", "c.png"]
    assert slot(program, "Reference 4"), "there is room for another"


def test_phantom_waits_for_a_reference_and_has_room_for_four(
    program: Program, wear: Wear, picture: Write
) -> None:
    model = wear("wan2.1-phantom-14b")
    first = slot(program, "Reference 1")
    assert [each.place.title for each in slots(program)] == ["Reference 1"]
    assert "drop an image here" in first.accessibleName() and "needed" in first.toolTip()
    assert lacking(program.inputs.inputs, model) == ("reference_images",)
    drop(program, *(picture(f"{number}.png") for number in range(5)), on=first)
    assert (
        list(named(program)) == [f"Reference {number}" for number in range(1, 5)] and len(slots(program)) == 4
    )
    check_given(program.run.recipe().inputs, model)
    row = program.window.stage.input_row
    assert row is not None and row.scale.isVisible() and row.scale.pill.text() == "references 1"


def test_of_many_references_a_model_is_given_as_many_as_it_takes(
    program: Program, wear: Wear, picture: Write
) -> None:
    wear("wan2.1-vace-14b")
    drop(program, *(picture(f"{number}.png") for number in range(6)), on=slot(program, "Reference 1"))
    assert len(program.run.recipe().inputs.reference_images) == 6
    model = wear("wan2.1-phantom-14b")
    check_given(program.run.recipe().inputs, model)
    assert len(slots(program)) == len(program.run.recipe().inputs.reference_images) == 4
    wear("wan2.1-vace-14b")
    assert len(program.run.recipe().inputs.reference_images) == 6, "the others were only put away"


def test_a_control_clip_is_no_picture(program: Program, wear: Wear, picture: Write, clip: Path) -> None:
    wear("wan2.1-vace-14b")
    control = slot(program, "Control clip")
    drop(program, clip, on=control)
    assert named(program) == {"Control clip": "red.mp4"}
    drop(program, picture("a.png"), on=control)
    assert named(program)["Control clip"] == "red.mp4"
    assert "cannot be the control clip" in said(program)


def test_a_model_of_text_alone_says_so(program: Program, picture: Write) -> None:
    drop(program, picture())
    assert "takes no pictures" in said(program) and not slots(program)
    assert not program.run.settings.inputs.pictures


def test_the_overlay_says_what_a_drop_does_there(program: Program, wear: Wear, picture: Write) -> None:
    wear("wan2.2-i2v-a14b")
    file = picture()
    overlay = hover(program, (file,), program.window.stage.player)
    assert overlay.words == "Drop to use as the start image"
    hover(program, (file,), slot(program, "Last frame"))
    assert overlay.words == "Drop to use as the last frame"


def test_a_third_image_than_there_are_slots_is_no_error(program: Program, wear: Wear, picture: Write) -> None:
    wear("wan2.2-i2v-a14b")
    drop(program, picture("a.png"), picture("b.png"), picture("c.png"))
    assert named(program) == {"Start image": "c.png", "Last frame": "b.png"}


def test_a_clip_of_somebody_else_is_pointed_at_the_slots(
    program: Program, wear: Wear, tmp_path: Path
) -> None:
    wear("wan2.2-i2v-a14b")
    frames = np.zeros((5, 64, 64, 3), np.uint8)
    encode(tmp_path / "other.mp4", ".mp4", frames.shape[:3], [frames], 8, "")
    drop(program, tmp_path / "other.mp4")
    assert "holds no recipe" in said(program) and "drop it on a slot" in said(program)
