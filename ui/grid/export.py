"""A grid as one video with its labels, painted picture by picture."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF
from PySide6.QtGui import QColor, QImage, QPainter

from engine.frame_limits import MOST_PIXELS, MOST_SIDE, OFTEN_PLAYED, share_that_fits
from engine.grid import Grid
from engine.messages import Frames
from engine.mosaic import Tile, pictures
from ui.grid.paint import Look, Moment, paint_cell, paint_labels, width_beside
from ui.grid.sheet import Sheet
from ui.state.grid_cell import CellState

_LEAST = 160
"""Pixels across of a clip in the sheet; smaller ones are shown twice, three times, … as large."""
_UNSCALED = 1280.0
"""Pixels across at which letters are as large as in the window; on larger sheets they grow."""


class Export:
    """The whole sheet as a video of `shape` (frames, height and width, both even). Runs on any thread.

    A clip has the size that it has in memory, or, where it `is_full`, its own, read from its file; or whole times
    as many pixels. It is smaller by the factor `share` where no picture could have so many: at most `most`.
    """

    def __init__(
        self, grid: Grid, cells: tuple[CellState, ...], look: Look, is_full: bool, most: int = MOST_PIXELS
    ) -> None:
        self._grid, self._cells = grid, cells
        self._beside = width_beside(grid, look)
        count, high, wide, _ = max(state.small.shape for state in cells if state.small is not None)
        self._clip = (grid.recipe.width or wide, grid.recipe.height or high) if is_full else (wide, high)
        self.share, over = 1.0, 0.0
        while over < 1:
            self._sheet = self._sheet_of(self.share)
            width, height = (int(side + 1) // 2 * 2 for side in self._sheet.size.toTuple())
            over = share_that_fits(width, height, most)
            self.share *= min(over, 0.999) if over < 1 else 1.0
        self.shape = count, height, width
        self._look = look.scaled(self._sheet.unit)

    @property
    def detail(self) -> int:
        """How many pixels of a clip are seen across."""
        return min(self._clip[0], int(self._sheet.cell.width()))

    @property
    def note(self) -> str:
        """What should be said about its size; nothing where all is as expected."""
        _, height, width = self.shape
        if self.share < 1:
            is_largest = max(width, height) > 0.98 * MOST_SIDE or width * height > 0.96 * MOST_PIXELS
            why = "no video has more pixels" if is_largest else "there is not enough free memory for more"
            return f"The clips are at {self.share:.0%} of their size: {why}."
        if max(width, height) > OFTEN_PLAYED:
            return f"Not every player shows more than {OFTEN_PLAYED} pixels on a side."
        return ""

    def pieces(self) -> Iterator[Frames]:
        """One picture [1, height, width, 3] after the other, in memory that the next one overwrites."""
        count, height, width = self.shape
        page, tiles = QImage(width, height, QImage.Format.Format_RGB888), self._tiles()
        if page.isNull():
            raise MemoryError
        lines = np.frombuffer(page.bits(), np.uint8).reshape(height, page.bytesPerLine())
        pixels = lines[:, : width * 3].reshape(height, width, 3)
        beside = [place for place in range(len(self._cells)) if place not in tiles]
        self._paint_ground(page)
        with closing(_decoded(tuple(tiles.values()), pixels, count)) as decoded:
            for index, picture in enumerate(decoded):
                self._paint_clips(page, beside, (index, count))
                for tile in tiles.values():
                    pixels[tile.area] = picture[tile.area]
                yield pixels[None]

    def _tiles(self) -> dict[int, Tile]:
        """The clips, by their places, that have more pixels in their files than in memory."""
        found = {}
        for place, state in enumerate(self._cells):
            area = self._area(place).toRect()
            is_small = state.small is not None and state.small.shape[2] < self.detail
            if is_small and state.file is not None and state.file.is_file():
                found[place] = Tile(state.file, area.x(), area.y(), area.width(), area.height())
        return found

    def _sheet_of(self, share: float) -> Sheet:
        wide, high = self._clip
        times = -(-_LEAST // wide) * share
        cell = QSizeF(max(int(wide * times), 1), max(int(high * times), 1))
        rows, columns = self._grid.shape
        unit = max(1.0, columns * cell.width() / _UNSCALED)
        return Sheet(rows, columns, cell, self._beside, unit)

    def _area(self, place: int) -> QRectF:
        return self._sheet.area(*divmod(place, self._sheet.columns))

    def _paint_ground(self, page: QImage) -> None:
        painter = QPainter(page)
        painter.fillRect(QRectF(page.rect()), QColor(self._look.theme.background))
        paint_labels(painter, self._sheet, self._grid, self._look, QPointF(0, 0))
        painter.end()

    def _paint_clips(self, page: QImage, places: list[int], moment: Moment) -> None:
        painter = QPainter(page)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for place in places:
            paint_cell(painter, self._area(place), self._cells[place], moment, self._look)
        painter.end()


def _decoded(tiles: Sequence[Tile], otherwise: Frames, count: int) -> Generator[Frames]:
    """The pictures that the tiles make, if there are any."""
    if tiles:
        yield from pictures(tiles, count)
    else:
        for _ in range(count):
            yield otherwise
