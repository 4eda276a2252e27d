"""What a grid does with its clips beside the window: makes them small, saves and exports them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Protocol

import numpy as np
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QImage

from catalog.errors import ExpectedError
from catalog.portable import portable
from catalog.recipe import Recipe, dumps
from engine import video
from engine.errors import EncodeFailed
from engine.ffmpeg import Shape
from engine.messages import Frames, RunFinished
from ui.state.grid_cell import CellState, Small

MOST_BYTES = 512 << 20
"""All small clips of a grid together."""


class Pictures(Protocol):
    """A clip that is made while it is written; `note` is said about it when it is there."""

    shape: Shape

    @property
    def note(self) -> str: ...

    def pieces(self) -> Iterator[Frames]: ...


class GridFiles(QObject):
    """One thread that keeps clips and recipes, in order, and one that exports beside it, which may take long.

    Keep it alive until `stop` has returned.
    """

    made_small = Signal(object, object)
    """CellState, Small"""
    saved = Signal(object, object, str)
    """CellState, and the Path of its clip; or None and one sentence."""
    written = Signal(object, str, str)
    """The Path of the recipes' folder, or None with a sentence and advice."""
    exporting = Signal(int)
    """How much of an export is done, in percent."""
    exported = Signal(object, str, str)
    """The Path of the video, with what is to be said about it at the end; or None, a sentence and advice."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread = ThreadPoolExecutor(1, "grid")
        self._exports = ThreadPoolExecutor(1, "grid export")
        self._is_broken_off = False
        self.unsaved = 0
        """How many clips wait to be saved, with all their pixels."""
        self.saved.connect(self._count_saved)

    def keep(self, state: CellState, clip: RunFinished, file: Path, room: int) -> None:
        """Make a clip small enough for `room` bytes, and save it whole."""
        self.unsaved += 1
        self._thread.submit(self._keep, state, clip, file, room)

    def export(self, file: Path, clip: Pictures, fps: int, recipe: Recipe) -> None:
        """Write a clip to a file that the user named, with a recipe inside."""
        self._is_broken_off = False
        self._exports.submit(self._export, file, clip, fps, recipe)

    def break_off(self) -> None:
        """Let nothing come of the export under way."""
        self._is_broken_off = True

    def write_recipes(self, folder: Path, recipes: Sequence[tuple[str, Recipe]]) -> None:
        """Write recipes by their names into a new folder in `folder`."""
        self._thread.submit(self._write_recipes, folder, tuple(recipes))

    def stop(self) -> None:
        """Save the cells that are not saved yet, and end; an export under way is broken off."""
        self.break_off()
        self._thread.shutdown()
        self._exports.shutdown()

    def _count_saved(self) -> None:
        self.unsaved -= 1

    # On the thread

    def _keep(self, state: CellState, clip: RunFinished, file: Path, room: int) -> None:
        self.made_small.emit(state, made_small(clip.frames, room))
        try:
            assert clip.recipe.fps is not None
            video.save(file, clip.frames, clip.recipe.fps, clip.recipe)
        except (ExpectedError, OSError) as error:
            self.saved.emit(state, None, str(error))
        else:
            self.saved.emit(state, file, "")

    def _export(self, file: Path, clip: Pictures, fps: int, recipe: Recipe) -> None:
        try:
            video.save_pieces(file, clip.shape, self._watched(clip), fps, recipe)
        except ExpectedError as error:
            self.exported.emit(None, str(error), error.advice)
        except MemoryError:
            self.exported.emit(None, "There is too little memory to export the grid.", "Export it small.")
        else:
            self.exported.emit(file, "", clip.note)

    def _watched(self, clip: Pictures) -> Iterator[Frames]:
        """The clip's pieces, as long as somebody wants it."""
        done, percent = 0, 0
        for piece in clip.pieces():
            if self._is_broken_off:
                raise EncodeFailed("The export was stopped.", "Nothing was written.")
            yield piece
            done += len(piece)
            if 100 * done // clip.shape[0] > percent:
                percent = 100 * done // clip.shape[0]
                self.exporting.emit(percent)

    def _write_recipes(self, folder: Path, recipes: Sequence[tuple[str, Recipe]]) -> None:
        try:
            made = new_folder(folder)
            for name, recipe in recipes:
                (made / f"{name}.json").write_text(dumps(portable(recipe, made)), "utf-8")
        except OSError as error:
            sentence = f"The recipes cannot be written in {folder.name}: {error.strerror}."
            self.written.emit(None, sentence, "Choose another folder.")
        else:
            self.written.emit(made, "", "")


def new_folder(parent: Path) -> Path:
    """A new folder in `parent`, called after this moment. Raises OSError."""
    name = f"grid {datetime.now():%Y-%m-%d %H.%M.%S}"
    for number in count(1):
        folder = parent / (name if number == 1 else f"{name} {number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise AssertionError


def made_small(frames: Frames, room: int) -> Small:
    """The clip at its own size, or as much smaller as it takes to need no more than `room` bytes."""
    count, height, width, _ = frames.shape
    share = min(1.0, (room / (4 * count * height * width)) ** 0.5)
    wide, high = max(int(width * share), 1), max(int(height * share), 1)
    small = np.empty((count, high, wide, 4), np.uint8)
    for frame, place in zip(frames, small, strict=True):
        frame = np.ascontiguousarray(frame)
        image = QImage(frame.data, width, height, frame.strides[0], QImage.Format.Format_RGB888)
        if share < 1:
            ratio = Qt.AspectRatioMode.IgnoreAspectRatio
            image = image.scaled(wide, high, ratio, Qt.TransformationMode.SmoothTransformation)
        image = image.convertToFormat(QImage.Format.Format_RGB32)
        lines = np.frombuffer(image.constBits(), np.uint8).reshape(high, image.bytesPerLine())
        place[:] = lines[:, : wide * 4].reshape(high, wide, 4)
    small.flags.writeable = False
    return small
