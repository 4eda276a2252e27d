"""A grid as the frames of one video, with its labels."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF
from PySide6.QtGui import QColor, QImage, QPainter

from engine.grid import Grid
from engine.messages import Frames
from ui.grid.paint import Look, Moment, paint_cell, paint_labels, width_beside
from ui.grid.sheet import Sheet
from ui.state.grid_cell import CellState

_LEAST = 160
"""Pixels across of a clip in the sheet; smaller ones are shown twice, three times, … as large."""
_UNSCALED = 1280.0
"""Pixels across at which letters are as large as in the window; on larger sheets they grow."""


def frames_of(grid: Grid, cells: tuple[CellState, ...], look: Look) -> Frames:
    """The whole sheet, frame by frame [frames, height, width, 3], even in height and width.

    Each clip has the size that it has in memory, or whole times as many pixels. Runs on any thread.
    """
    clips = [state.small for state in cells if state.small is not None]
    times = -(-_LEAST // clips[0].shape[2])
    high, wide = (times * side for side in clips[0].shape[1:3])
    rows, columns = grid.shape
    unit = max(1.0, columns * wide / _UNSCALED)
    sheet = Sheet(rows, columns, QSizeF(wide, high), width_beside(grid, look), unit)
    width, height = (int(side + 1) // 2 * 2 for side in (sheet.size.width(), sheet.size.height()))
    count = max(len(clip) for clip in clips)
    frames = np.empty((count, height, width, 3), np.uint8)
    page = QImage(width, height, QImage.Format.Format_RGB888)
    page.fill(QColor(look.theme.background))
    large = look.scaled(unit)
    for index, frame in enumerate(frames):
        _paint(page, sheet, grid, cells, (index, count), large)
        lines = np.frombuffer(page.constBits(), np.uint8).reshape(height, page.bytesPerLine())
        frame[:] = lines[:, : width * 3].reshape(height, width, 3)
    return frames


def _paint(
    page: QImage, sheet: Sheet, grid: Grid, cells: tuple[CellState, ...], moment: Moment, look: Look
) -> None:
    painter = QPainter(page)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillRect(QRectF(page.rect()), QColor(look.theme.background))
    paint_labels(painter, sheet, grid, look, QPointF(0, 0))
    for place, state in enumerate(cells):
        paint_cell(painter, sheet.area(*divmod(place, sheet.columns)), state, moment, look)
    painter.end()
