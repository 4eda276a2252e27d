"""Pictures belong to the settings: into recipes, and back."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from catalog.folders import Folders
from catalog.inputs import NOTHING, Inputs, Picture
from catalog.models import ModelInfo, find_model
from catalog.recipe import loads
from tests import fakes
from tests.fakes import FakeSession
from tests.qt.inputs.conftest import Wear, drop, slot, slots, wan
from ui.app import Program
from ui.state import model_reader

Write = Callable[..., Path]


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the models of the table be found as if they were on this disk."""

    def find(name: str, base: Path | None = None) -> ModelInfo:
        return wan(Path(name).name) if Path(name).parent.name == "models" else find_model(name, base)

    monkeypatch.setattr(model_reader, "find_model", find)
    monkeypatch.setattr(fakes, "find_model", find)
    yield


def test_a_recipe_brings_its_pictures_back(
    program: Program, qtbot: QtBot, known: None, wear: Wear, picture: Write, tmp_path: Path
) -> None:
    wear("wan2.2-i2v-a14b")
    drop(program, picture("a.png"))
    program.inputs.set_fit(slot(program, "Start image").place, "pad")
    wanted = program.run.recipe().inputs
    program.recipes.save(tmp_path / "r.json")
    program.inputs.remove(slot(program, "Start image").place)
    assert program.recipes.open(tmp_path / "r.json")
    qtbot.waitUntil(lambda: program.run.recipe().inputs == wanted)
    assert Path(wanted.pictures[0].file).is_absolute()


def test_a_picture_beside_the_recipe_is_found_and_the_size_is_the_recipes(
    program: Program, qtbot: QtBot, known: None, picture: Write, tmp_path: Path
) -> None:
    picture("a.png", 300, 600)
    text = """{"version": 1, "model": "/models/wan2.2-i2v-a14b", "width": 832, "height": 480,
               "inputs": {"start_image": {"file": "a.png"}, "end_image": {"file": "gone.png"}}}"""
    (tmp_path / "r.json").write_text(text)
    with qtbot.waitSignal(program.pictures.seen):
        program.recipes.open(tmp_path / "r.json")
    start, end = program.inputs.inputs.start_image, program.inputs.inputs.end_image
    assert start is not None and Path(start.file) == tmp_path / "a.png"
    assert end is not None and Path(end.file).name == "gone.png"
    qtbot.waitUntil(lambda: "not there" in slot(program, "Last frame").toolTip())
    assert (program.run.settings.width, program.run.settings.height) == (832, 480)


def test_a_model_of_text_alone_is_sent_none_and_the_window_keeps_them(
    program: Program, wear: Wear, picture: Write
) -> None:
    wear("wan2.2-i2v-a14b")
    drop(program, picture())
    given = program.run.recipe().inputs
    wear("wan2.2-t2v-a14b")
    assert program.run.recipe().inputs == NOTHING and slots(program) == []
    assert program.run.hindrance == ("", "")
    wear("wan2.2-i2v-a14b")
    assert program.run.recipe().inputs == given


def test_a_model_that_takes_less_is_sent_less(program: Program, wear: Wear, picture: Write) -> None:
    wear("wan2.2-i2v-a14b")
    drop(program, picture("a.png"), picture("b.png"))
    wear("wan2.2-ti2v-5b")
    given = program.run.recipe().inputs
    assert given.start_image is not None and given.end_image is None


def test_the_next_session_has_them(
    program: Program, qtbot: QtBot, known: None, wear: Wear, picture: Write,
    open_program: Callable[[Folders], Program], folders: Folders,
) -> None:  # fmt: skip
    wear("wan2.2-i2v-a14b")
    drop(program, picture())
    given = program.run.recipe().inputs
    program.window.close()
    again = open_program(folders)
    qtbot.waitUntil(lambda: again.run.model.entry == "wan2.2-i2v-a14b")
    assert again.run.recipe().inputs == given
    again.window.close()


def test_a_take_brings_its_own_back_and_a_branch_keeps_them(
    program: Program, qtbot: QtBot, known: None, wear: Wear, picture: Write, session: FakeSession
) -> None:
    wear("wan2.2-i2v-a14b")
    drop(program, picture("a.png"))
    given = program.run.recipe().inputs
    session.is_free = True
    with qtbot.waitSignal(program.run.finished):
        program.run.generate()
    take = program.run.takes.current
    assert take is not None and take.recipe.inputs == given
    drop(program, picture("b.png"), on=slot(program, "Start image"))
    program.run.branch(take, 2)
    qtbot.waitUntil(lambda: program.run.phase == "idle")
    branched = program.run.takes.current
    assert branched is not None and branched is not take and branched.recipe.inputs == given
    program.recipes.show(take.recipe)
    assert program.run.recipe().inputs == given


def test_live_follows_faders_only(program: Program, wear: Wear, picture: Write) -> None:
    wear("wan2.2-i2v-a14b")
    program.live.set_on(True)
    drop(program, picture())
    assert program.run.phase == "idle"


def test_how_strongly_they_count_goes_along(program: Program, wear: Wear, picture: Write) -> None:
    wear("wan2.1-vace-14b")
    row = program.window.stage.input_row
    assert row is not None and not row.scale.isVisible()
    drop(program, picture(), on=slot(program, "Reference 1"))
    assert row.scale.isVisible()
    settings = program.run.settings
    program.run.change(replace(settings, inputs=replace(settings.inputs, conditioning_scale=0.6)))
    assert program.run.recipe().inputs.conditioning_scale == 0.6 and "0.6" in row.scale.pill.text()
    wear("wan2.2-i2v-a14b")
    assert program.run.recipe().inputs.conditioning_scale == 1


def test_a_hostile_path_is_kept_and_never_opened(
    program: Program, qtbot: QtBot, known: None, tmp_path: Path
) -> None:
    text = """{"version": 1, "model": "/models/wan2.2-i2v-a14b",
               "inputs": {"start_image": {"file": "//server/share/a.png"}}}"""
    (tmp_path / "r.json").write_text(text)
    with qtbot.waitSignal(program.pictures.seen):
        program.recipes.open(tmp_path / "r.json")
    assert program.inputs.inputs == Inputs(start_image=Picture("//server/share/a.png"))
    assert "network" in program.run.hindrance[0]
    assert loads(text).inputs == program.inputs.inputs
