"""A clip that is written while it is still being decoded."""

import queue
import threading
from collections.abc import Iterator
from pathlib import Path

from catalog.on_the_way import drop
from catalog.recipe import Recipe
from engine import video
from engine.errors import EncodeFailed
from engine.ffmpeg import Shape
from engine.messages import Frames


class Recording:
    """A clip on its way into `file`, or into one with the next free name; a thread of its own writes it.

    Whatever goes wrong is said by `finish`, so that the one who decodes need not care: the pictures are worth more
    than their file. Either `finish` or `abandon` has to be called.
    """

    def __init__(self, file: Path, recipe: Recipe, shape: Shape) -> None:
        self._file, self._recipe, self._shape = file, recipe, shape
        self._pieces: queue.SimpleQueue[Frames | None] = queue.SimpleQueue()
        self._is_abandoned = False
        self._part: Path | None = None
        self._error: Exception = EncodeFailed(f"{self._file.name} was not written.")
        self._thread = threading.Thread(target=self._write, name="recording", daemon=True)
        self._thread.start()

    def add(self, frames: Frames) -> None:
        """The next pictures [F, H, W, 3] of the clip, which nobody may change any more; returns at once."""
        self._pieces.put(frames)

    def finish(self) -> Path:
        """Wait for the file and give it its name; raises what went wrong, and nothing is then left."""
        self._end()
        if self._part is None:
            raise self._error
        return video.place(self._part, self._file)

    def abandon(self) -> None:
        """Leave nothing behind."""
        self._is_abandoned = True
        self._end()
        if self._part is not None:
            drop(self._part)

    def _end(self) -> None:
        self._pieces.put(None)
        self._thread.join()

    def _write(self) -> None:
        fps = self._recipe.fps
        assert fps is not None
        try:
            self._part = video.encoded_beside(self._file, self._shape, self._taken(), fps, self._recipe)
        except Exception as error:  # noqa: BLE001 - the thread's boundary: `finish` raises it
            self._error = error

    def _taken(self) -> Iterator[Frames]:
        while (frames := self._pieces.get()) is not None and not self._is_abandoned:
            yield frames
        if self._is_abandoned:
            raise EncodeFailed("The clip was not finished.")
