"""Pictures go and come back with Ctrl+Z and Ctrl+Shift+Z, like all else on the desk."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtGui import QAction, QColor, QImage
from pytestqt.qtbot import QtBot

from catalog.inputs import Inputs
from tests.fakes import FakeSession
from tests.qt.inputs.conftest import Wear, drop, slot
from ui.app import Program
from ui.state.input_places import Place

Write = Callable[..., Path]
START, END = Place("start_image"), Place("end_image")


def inputs(program: Program) -> Inputs:
    return program.run.settings.inputs


def size(program: Program) -> tuple[int, int]:
    return program.run.settings.width, program.run.settings.height


def press(program: Program, words: str) -> None:
    """Undo or Redo of the menu Edit."""
    edit = next(a for a in program.window.findChildren(QAction) if a.text().startswith(words))
    edit.trigger()


def name_at(program: Program, place: Place) -> str:
    found = program.inputs.picture(place)
    return Path(found.file).name if found else ""


def test_a_dropped_picture_and_the_clips_shape_go_and_come_back(
    program: Program, qtbot: QtBot, wear: Wear, picture: Write
) -> None:
    wear("wan2.2-i2v-a14b")
    before = size(program)
    drop(program, picture("tall.png", 400, 700))
    qtbot.waitUntil(lambda: size(program) == (480, 832))
    press(program, "Undo")
    assert inputs(program) == Inputs() and size(program) == before
    assert not slot(program, "Start image").is_filled
    press(program, "Redo")
    assert name_at(program, START) == "tall.png" and size(program) == (480, 832)


def test_a_size_that_was_chosen_meanwhile_stays(
    program: Program, qtbot: QtBot, wear: Wear, picture: Write
) -> None:
    wear("wan2.2-i2v-a14b")
    program.inputs.put(picture("tall.png", 400, 700), START)
    qtbot.waitUntil(lambda: size(program) == (480, 832))
    program.run.change(replace(program.run.settings, width=320, height=320))
    program.mix.undo.undo()
    assert inputs(program) == Inputs() and size(program) == (320, 320)


def test_a_picture_undone_before_it_was_seen_gives_its_shape_when_it_is_back(
    program: Program, qtbot: QtBot, wear: Wear, picture: Write
) -> None:
    wear("wan2.2-i2v-a14b")
    before = size(program)
    program.inputs.put(picture("tall.png", 400, 700), START)
    program.mix.undo.undo()
    program.inputs.put(picture("other.png"), END)  # what is still read of the first is read before this
    qtbot.waitUntil(lambda: program.inputs.look(END) is not None)
    program.mix.undo.undo()
    assert size(program) == before
    program.inputs.put(picture("tall.png", 400, 700), START)
    program.mix.undo.undo()
    program.mix.undo.redo()
    qtbot.waitUntil(lambda: size(program) == (480, 832))


def test_every_act_is_a_step_of_its_own_and_a_drop_of_many_is_one(
    program: Program, wear: Wear, picture: Write
) -> None:
    wear("wan2.1-vace-14b")
    undo, steps = program.mix.undo, program.mix.undo.count()
    program.inputs.put_all([picture(f"{n}.png") for n in "abc"], Place("reference_images"))
    assert len(inputs(program).reference_images) == 3 and undo.count() == steps + 1
    program.inputs.put(picture("d.png"), Place("reference_images", 1))
    program.inputs.remove(Place("reference_images", 0))
    program.inputs.set_fit(Place("reference_images", 0), "pad")
    assert undo.count() == steps + 4
    for _ in range(3):
        undo.undo()
    assert [Path(p.file).name for p in inputs(program).reference_images] == ["a.png", "b.png", "c.png"]
    undo.undo()
    assert inputs(program) == Inputs()
    for _ in range(4):
        undo.redo()
    assert [Path(p.file).name for p in inputs(program).reference_images] == ["d.png", "c.png"]
    assert inputs(program).reference_images[0].fit == "pad"


def test_putting_the_same_again_is_no_step(program: Program, wear: Wear, picture: Write) -> None:
    wear("wan2.2-i2v-a14b")
    program.inputs.put(picture(), START)
    steps = program.mix.undo.count()
    program.inputs.put(picture(), START)
    program.inputs.remove(END)
    assert program.mix.undo.count() == steps


@pytest.mark.parametrize("how", ["last frame", "paste"])
def test_pictures_that_are_kept_in_files_of_ours_can_be_undone(
    program: Program, qtbot: QtBot, wear: Wear, session: FakeSession, how: str
) -> None:
    session.is_free = True
    with qtbot.waitSignal(program.run.finished):
        program.run.generate()
    wear("wan2.2-i2v-a14b")
    if how == "paste":
        image = QImage(30, 20, QImage.Format.Format_RGB32)
        image.fill(QColor("#C06040"))
        program.inputs.paste(image)
    else:
        program.inputs.go_on(program.run.takes.all[-1])
    qtbot.waitUntil(lambda: slot(program, "Start image").is_filled)
    kept = name_at(program, START)
    program.mix.undo.undo()
    assert inputs(program) == Inputs()
    program.mix.undo.redo()
    assert name_at(program, START) == kept != ""


def test_the_scale_of_the_pictures_is_no_part_of_it(program: Program, wear: Wear, picture: Write) -> None:
    wear("wan2.1-vace-14b")
    program.inputs.put(picture(), Place("reference_images"))
    changed = replace(inputs(program), conditioning_scale=0.5)
    program.run.change(replace(program.run.settings, inputs=changed))
    program.mix.undo.undo()
    assert inputs(program) == Inputs(conditioning_scale=0.5)


def test_a_recipe_takes_its_pictures_along_when_it_is_undone(
    program: Program, wear: Wear, picture: Write
) -> None:
    model = wear("wan2.2-i2v-a14b")
    program.inputs.put(picture("mine.png"), START)
    strips, steps = program.mix.strips, program.mix.undo.count()
    program.recipes.show(replace(program.run.recipe(), inputs=Inputs(), model=str(model.path)))
    assert inputs(program) == Inputs() and program.mix.undo.count() == steps + 1
    program.mix.undo.undo()
    assert name_at(program, START) == "mine.png" and program.mix.strips == strips
    program.mix.undo.redo()
    assert inputs(program) == Inputs()
    program.mix.undo.undo()
    program.mix.undo.undo()
    assert inputs(program) == Inputs()
