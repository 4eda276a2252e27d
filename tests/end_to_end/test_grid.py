"""A grid on the demo model: its cells share steps, and a cell's recipe makes that cell's clip again."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

import resources
from engine.messages import Event, RunFinished
from tests.end_to_end.acts import PATIENCE, put_on_desk
from ui.app import Program
from ui.grid.window import GridWindow
from ui.state.grid import GridState

pytestmark = pytest.mark.long
LORAS = resources.path("demo") / "loras"
STEPS = 4


@pytest.fixture
def program(qtbot: QtBot, bare: Program) -> Program:
    """The window with ring and mono on the desk and few steps."""
    put_on_desk(bare, qtbot, "ring", "mono")
    bare.run.change(replace(bare.run.settings, steps=STEPS, seed=7))
    return bare


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
