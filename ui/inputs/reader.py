"""Reads and writes pictures on a thread of its own, and tells by signals."""

import hashlib
import queue
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject, Signal
from PySide6.QtGui import QImage

from catalog.on_the_way import claim, drop, part_beside
from engine.errors import PictureRefused
from ui.inputs.look import Look, Wanted, look_at, stamp_of


class PictureReader(QObject):
    """All methods return at once. Keep it alive until `stop` has returned; connect with slots of QObjects."""

    seen = Signal(object, object)
    """Wanted, Look: what a file looks like."""
    saved = Signal(object, object)
    """The token that `save` was given, and the Path."""
    failed = Signal(object, str)
    """The token that `save` was given, and why there is no file."""

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder = folder
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._is_over = False

    def look(self, wanted: Wanted, known: Look | None = None) -> None:
        """Look at a file; `seen` has the answer, unless the file is still as it was for the `known` look."""
        self._ask(partial(self._look, wanted, known))

    def save(self, image: Callable[[], QImage], prefix: str, token: object) -> None:
        """Write an image as PNG into the folder; its name is `prefix` and the beginning of its SHA-256.

        `image` is called on the thread. A file of that name that is there already is the same picture.
        """
        self._ask(partial(self._save, image, prefix, token))

    def stop(self, seconds: float = 10) -> bool:
        """End after the file under way; False when the disk still holds the thread up."""
        self._is_over = True
        if self._thread is None:
            return True
        self._work.put(None)
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _ask(self, work: Callable[[], None]) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="pictures", daemon=True)
            self._thread.start()
        self._work.put(work)

    # below: on the thread

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            if not self._is_over:
                work()

    def _look(self, wanted: Wanted, known: Look | None) -> None:
        if known is not None and known.stamp == stamp_of(wanted):
            return
        look = look_at(wanted, self._check)
        if not self._is_over:
            self.seen.emit(wanted, look)

    def _check(self) -> None:
        if self._is_over:
            raise PictureRefused("The window was closed.")

    def _save(self, image: Callable[[], QImage], prefix: str, token: object) -> None:
        try:
            file = _write(self._folder, prefix, _png(image()))
        except OSError as error:
            if not self._is_over:
                self.failed.emit(token, error.strerror or "the disk refuses")
        else:
            if not self._is_over:
                self.saved.emit(token, file)


def _png(image: QImage) -> bytes:
    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not image.save(buffer, "PNG"):  # type: ignore[call-overload]
        raise OSError(0, "the picture cannot be written as PNG")
    return bytes(content.data())


def _write(folder: Path, prefix: str, content: bytes) -> Path:
    """Write under a name of the content's own, beside and then moved; never onto another file."""
    digest = hashlib.sha256(content).hexdigest()
    file = folder / f"{prefix}-{digest[:16]}.png"
    if file.exists():
        return file
    folder.mkdir(parents=True, exist_ok=True)
    part = part_beside(file)
    try:
        part.write_bytes(content)
        claim(part, file)  # where the name is taken, it is by the same content
    finally:
        drop(part)
    return file
