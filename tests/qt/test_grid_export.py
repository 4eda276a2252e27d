"""The video of a grid has every clip's own pixels, its labels, and no more pixels than can be played."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from catalog.recipe import Recipe
from engine import video
from engine.frame_limits import MOST_PIXELS, MOST_SIDE, share_that_fits
from engine.grid import Grid
from engine.grid_axis import SeedAxis
from engine.messages import Mix
from tests.decoded import decoded
from ui.grid.export import Export
from ui.grid.paint import Look
from ui.state.grid_cell import CellState
from ui.state.grid_files import GridFiles, made_small
from ui.theme import theme

HIGH, WIDE, COUNT = 96, 160, 5
RECIPE = Recipe(width=WIDE, height=HIGH, frames=COUNT, fps=8, seed=1)


@pytest.fixture
def look(qapp: QApplication) -> Look:
    font = QFont()
    font.setPixelSize(12)
    return Look(theme(), font, font)


def grid_of(folder: Path, columns: int) -> tuple[Grid, tuple[CellState, ...]]:
    """A row of clips of noise that are in memory at a third of their size; the last one was never rendered."""
    grid, random = Grid(RECIPE, Mix(0, ()), SeedAxis(tuple(range(columns)))), np.random.default_rng(0)
    states = tuple(CellState(cell) for cell in grid.cells)
    for number, state in enumerate(states[:-1]):
        coarse = random.integers(0, 255, (COUNT, HIGH // 8, WIDE // 8, 3), np.uint8)
        frames = coarse.repeat(8, axis=1).repeat(8, axis=2)
        state.status, state.file = "done", folder / f"{number}.mp4"
        state.small = made_small(frames, frames.nbytes * 4 // 27)
        video.save(state.file, frames, 8, RECIPE)
    return grid, states


def whole(export: Export) -> np.ndarray:
    """All its pictures [frames, height, width, 3]."""
    return np.concatenate([piece.copy() for piece in export.pieces()])


def holds(pictures: np.ndarray, clip: np.ndarray) -> bool:
    """Whether a clip is somewhere in the pictures, to the pixel."""
    height, width = clip.shape[1:3]
    rows, columns = (pictures.shape[axis] - side + 1 for axis, side in ((1, height), (2, width)))
    return any(
        np.array_equal(pictures[:, y : y + height, x : x + width], clip)
        for y in range(rows)
        for x in range(columns)
        if np.array_equal(pictures[0, y, x : x + width], clip[0, 0])
    )


@pytest.mark.parametrize("columns", [2, 4])
def test_a_full_export_has_the_pixels_of_the_files(tmp_path: Path, look: Look, columns: int) -> None:
    grid, cells = grid_of(tmp_path, columns)
    export = Export(grid, cells, look, is_full=True)
    pictures = whole(export)
    assert pictures.shape == (*export.shape, 3) and export.share == 1 and not export.note
    assert all(side % 2 == 0 for side in export.shape[1:])
    clips = [decoded(state.file, WIDE, HIGH) for state in cells if state.file]
    assert len(clips) == columns - 1 and all(holds(pictures, clip) for clip in clips)
    assert not holds(whole(Export(grid, cells, look, is_full=False)), clips[0]), "in memory it is smaller"


def test_a_file_that_has_gone_is_shown_as_it_is_in_memory(tmp_path: Path, look: Look) -> None:
    grid, cells = grid_of(tmp_path, 3)
    assert cells[0].file is not None and cells[1].file is not None
    whole_clip = decoded(cells[1].file, WIDE, HIGH)
    cells[0].file.unlink()
    before = whole(Export(grid, cells, look, is_full=True))
    assert holds(before, whole_clip)
    blank = (replace(cells[0], small=None), *cells[1:])
    assert not np.array_equal(before, whole(Export(grid, blank, look, is_full=True)))


def test_it_is_made_smaller_where_no_picture_may_have_so_many_pixels(tmp_path: Path, look: Look) -> None:
    grid, cells = grid_of(tmp_path, 3)
    most = 300 * 100
    export = Export(grid, cells, look, is_full=True, most=most)
    count, height, width = export.shape
    assert height * width <= most < 1.2 * height * width and export.share < 1
    assert f"{export.share:.0%}" in export.note and "memory" in export.note
    assert whole(export).shape == (count, height, width, 3)


def test_a_sheet_of_large_clips_keeps_within_what_can_be_encoded(tmp_path: Path, look: Look) -> None:
    _, cells = grid_of(tmp_path, 2)
    large = Grid(replace(RECIPE, width=1280, height=720), Mix(0, ()), SeedAxis(tuple(range(8))))
    states = tuple(replace(cells[0], cell=cell) for cell in large.cells)
    export = Export(large, states, look, is_full=True)
    _, height, width = export.shape
    assert width <= MOST_SIDE and width * height <= MOST_PIXELS and width > 0.97 * MOST_SIDE
    assert "no video has more pixels" in export.note
    assert share_that_fits(1920, 1080, MOST_PIXELS) == 1


class Endless:
    """A clip that somebody stops at its second picture."""

    shape, note = (1000, 32, 32), ""

    def __init__(self, files: GridFiles) -> None:
        self._files = files

    def pieces(self) -> Iterator[np.ndarray]:
        while True:
            yield np.zeros((1, 32, 32, 3), np.uint8)
            self._files.break_off()


def test_an_export_that_is_stopped_leaves_nothing(qtbot: QtBot, tmp_path: Path) -> None:
    files = GridFiles()
    (tmp_path / "sheet.mp4").write_text("the one before")
    with qtbot.waitSignal(files.exported) as said:
        files.export(tmp_path / "sheet.mp4", Endless(files), 8, RECIPE)
    assert said.args[:2] == [None, "The export was stopped."]
    assert [file.read_text() for file in tmp_path.iterdir()] == ["the one before"]
    files.stop()
