"""A grid on the demo model: its cells share steps, and a cell's recipe makes that cell's clip again."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

import resources
from catalog.folders import Folders
from engine.messages import Event, RunFinished
from ui.app import Program, open_session
from ui.grid.window import GridWindow
from ui.state.grid import GridState

pytestmark = pytest.mark.long
PATIENCE = 240_000
LORAS = resources.path("demo") / "loras"
STEPS = 4


@pytest.fixture
def program(qtbot: QtBot, tmp_path: Path) -> Iterator[Program]:
    """The window over the real engine, with ring and mono on the desk and few steps."""
    folders = Folders(tmp_path / "loras", LORAS, tmp_path / "outputs", tmp_path / "state")
    program = Program(folders, lambda _device: open_session("cpu"))
    with qtbot.waitSignals([program.catalog.scan_finished, program.bridge.model_loaded], timeout=PATIENCE):
        program.show()
    for strip in program.mix.strips:
        program.mix.remove(strip.id)
    for name in ("ring", "mono"):
        program.mix.add(LORAS / f"{name}.safetensors")
    strips = program.mix.strips
    qtbot.waitUntil(
        lambda: all(program.mix.attachment(strip.id).status == "attached" for strip in strips),
        timeout=PATIENCE,
    )
    program.run.change(replace(program.run.settings, steps=STEPS, seed=7))
    yield program
    program.window.close()


@pytest.fixture
def grid(program: Program, qtbot: QtBot) -> tuple[GridWindow, GridState, list[Event]]:
    """Two by two clips of ring's faders, rendered, and all that the engine said about them."""
    said: list[Event] = []
    program.bridge.apart.connect(said.append)
    program.grid.open()
    window, state = program.grid.window, program.grid.state
    assert window is not None and state is not None
    for editor in (window.setup.columns, window.setup.rows):
        editor.values.setText("0, 1")
        editor.values.textEdited.emit("0, 1")
    QTest.mouseClick(window.render_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: all(cell.file is not None for cell in state.cells), timeout=PATIENCE)
    return window, state, said


def test_a_cells_recipe_makes_its_clip_again(
    program: Program, qtbot: QtBot, grid: tuple[GridWindow, GridState, list[Event]]
) -> None:
    _, state, said = grid
    clips = [event for event in said if isinstance(event, RunFinished)]
    assert len({clip.frames.tobytes() for clip in clips}) == 4, "every cell is another clip"
    assert state.pace.made + state.pace.taken_over == 4 * STEPS and state.pace.taken_over > 0
    last, cell = clips[-1], state.cells[state.grid.order[-1]]  # type: ignore[union-attr]
    assert cell.recipe == last.recipe and cell.file is not None
    program.bridge.budget = 0  # nothing is taken over: it is rendered from its first step
    assert program.recipes.open(cell.file)
    strips = program.mix.strips
    qtbot.waitUntil(
        lambda: all(program.mix.attachment(strip.id).status == "attached" for strip in strips),
        timeout=PATIENCE,
    )
    with qtbot.waitSignal(program.run.finished, timeout=PATIENCE) as finished:
        program.run.generate()
    again = finished.args[0]
    assert last.latents is not None and np.array_equal(again.latents, last.latents)
    assert np.array_equal(again.frames, last.frames)


def test_a_cell_on_the_desk_is_there_at_once(
    program: Program, qtbot: QtBot, grid: tuple[GridWindow, GridState, list[Event]]
) -> None:
    window, state, said = grid
    place = state.grid.order[-1]  # type: ignore[union-attr]
    window.view.choose(place)
    QTest.keyClick(window.view, Qt.Key.Key_Return)
    with qtbot.waitSignal(program.run.finished, timeout=PATIENCE) as finished:
        program.run.generate()
    last = [event for event in said if isinstance(event, RunFinished)][-1]
    assert np.array_equal(finished.args[0].latents, last.latents)
    take = program.run.takes.current
    assert take is not None and all(step.is_reused for step in take.steps), "no step is made again"
