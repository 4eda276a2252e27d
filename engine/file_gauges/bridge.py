"""Measures files on a thread of its own, which no clip is in the way of."""

import queue
import threading
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal

from catalog.errors import ExpectedError
from engine.gauge import FileGauged, Gauge

Measure = Callable[[Path], Gauge | None]
Opener = Callable[[], Measure]


def open_measure() -> Measure:
    """Brings torch in, where the engine has not yet."""
    from engine.inference.lora.file_gauge import FileGauges

    return FileGauges().gauge


class FileGaugeBridge(QObject):
    """`measure` asks for one file, `measured` answers with a FileGauged; the newest wish is next.

    The thread begins with the first wish. `open_measure` runs on it (tests pass another).
    """

    measured = Signal(object)
    _posted = Signal(object)

    def __init__(self, parent: QObject | None = None, open_measure: Opener = open_measure) -> None:
        super().__init__(parent)
        self._open = open_measure
        self._wishes: queue.LifoQueue[Path | None] = queue.LifoQueue()
        self._thread: threading.Thread | None = None
        self._is_over = False
        self._posted.connect(self.measured, Qt.ConnectionType.QueuedConnection)

    def measure(self, path: Path) -> None:
        """Measure a file, again if it was before: it may have changed."""
        self._wishes.put(path)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="gauge", daemon=True)
            self._thread.start()

    def stop(self, timeout: float) -> bool:
        """End the thread after the file that it is at; False when that takes longer."""
        if self._thread is None:
            return True
        self._is_over = True
        self._wishes.put(None)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _work(self) -> None:
        measure = self._open()
        while (path := self._wishes.get()) is not None:
            try:
                said = FileGauged(path, measure(path))
            except ExpectedError as error:
                said = FileGauged(path, None, str(error))
            except OSError as error:
                said = FileGauged(path, None, f"{path.name} cannot be read: {error.strerror or error}.")
            if self._is_over:
                return
            self._posted.emit(said)
