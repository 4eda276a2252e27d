"""The whole window on a tiny model that sees: drop two pictures, render, open the clip again, go on from it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from catalog.input_files import sha256_of
from catalog.recipe_files import load
from tests import tiny_seeing
from tests.end_to_end.acts import PATIENCE, drop
from ui.app import Program
from ui.state.take import Take


@pytest.fixture
def program(qtbot: QtBot, bare: Program, tmp_path: Path) -> Program:
    """A window with a tiny I2V of two experts and an empty desk."""
    with qtbot.waitSignal(bare.bridge.model_loaded, timeout=PATIENCE):
        bare.run.open_model(str(tiny_seeing.save_model(tmp_path / "models" / "tiny-i2v", "i2v 2.2")))
    bare.run.change(replace(bare.run.settings, width=32, height=32, frames=5, steps=2, prompt="a red ball"))
    return bare


def render(qtbot: QtBot, program: Program) -> Take:
    with qtbot.waitSignal(program.run.finished, timeout=PATIENCE):
        program.run.generate()
    take = program.run.takes.current
    assert take is not None and take.frames is not None and take.file is not None
    return take


def test_pictures_go_into_a_clip_and_come_back_with_it(
    qtbot: QtBot, program: Program, tmp_path: Path
) -> None:
    said: list[str] = []
    program.run.message.connect(lambda _kind, sentence, *_: said.append(sentence))
    program.run.generate()
    assert said and "needs a start image" in said.pop()

    first, second = (tiny_seeing.picture(tmp_path, seed) for seed in (1, 2))
    drop(program.window, first)
    drop(program.window, second)
    take = render(qtbot, program)
    assert not said
    assert take.file is not None and take.frames is not None
    inside = load(take.file).inputs
    assert [picture.sha256 for picture in inside.pictures] == [sha256_of(first), sha256_of(second)]

    program.run.change(replace(program.run.settings, inputs=replace(inside, start_image=None)))
    program.recipes.open(take.file)
    given = program.inputs.inputs
    assert [Path(picture.file) for picture in given.pictures] == [first, second]

    with qtbot.waitSignal(program.pictures.saved):
        program.window.stage.go_on_action.trigger()
    start = program.inputs.inputs.start_image
    assert start is not None and start.sha256 == ""
    image = QImage(start.file).convertToFormat(QImage.Format.Format_RGB888)
    kept = np.frombuffer(image.constBits(), np.uint8).reshape(32, -1)[:, : 32 * 3].reshape(32, 32, 3)
    assert np.array_equal(kept, take.frames[-1])
    another = render(qtbot, program)
    assert another.frames is not None and not np.array_equal(another.frames, take.frames)
    assert not said
