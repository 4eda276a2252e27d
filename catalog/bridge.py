"""The catalog's thread: looks through folders, installs files, lays them over a model, and tells by signals."""

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from catalog.folders import Folders
from catalog.models import ModelInfo

if TYPE_CHECKING:
    from catalog.worker import CatalogWorker

    Task = Callable[[CatalogWorker], None]


@dataclass(frozen=True, slots=True)
class CatalogFailed:
    """Something in the catalog did not work: one sentence, what to do, details that can be copied."""

    title: str
    advice: str = ""
    details: str = ""


class CatalogBridge(QObject):
    """Calls in, signals out. All methods return at once; the work is done in order on one thread.

    Keep it alive until `stop()` has returned, and connect with slots of QObjects: signals are emitted from
    the catalog's thread.
    """

    found = Signal(object)
    """tuple[Entry, ...]: new, changed or confirmed entries; the path says which card each belongs to."""
    lost = Signal(object)
    """tuple[Path, ...]: files of an earlier scan that are there no more."""
    scan_finished = Signal(int)
    """How many files there are; hashes that were not known before may still follow, by `found`."""
    install_progress = Signal(int, int)
    """Files done, files in all."""
    install_finished = Signal(object)
    """InstallReport; the installed entries were announced by `found` before."""
    covered = Signal(object)
    """tuple[CardCoverage, ...]: how much of these files applies to the model of `choose_model`."""
    explained = Signal(object)
    """Explained: what `explain` asked for."""
    failed = Signal(object)
    """CatalogFailed"""

    def __init__(self, folders: Folders, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folders = folders
        self._tasks: queue.SimpleQueue[Callable[[CatalogWorker], None] | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._model: ModelInfo | None = None
        self._thread = threading.Thread(target=self._work, name="catalog", daemon=True)

    def scan(self) -> None:
        """Looks through the library and the built-in files."""
        self._do(lambda worker: worker.scan())

    def use_library(self, folder: Path) -> None:
        """From now on files are looked for in that folder, and installed there; `scan` then tells of them."""
        self._tasks.put(lambda worker: worker.use_library(folder))

    def install(self, paths: Sequence[Path]) -> None:
        """Installs files and folders that were dropped on the window."""
        chosen = tuple(paths)
        self._do(lambda worker: worker.install(chosen))

    def choose_model(self, model: ModelInfo) -> None:
        """Says by `covered` how much of every file applies to `model`, also of files that come later."""
        if model != self._model:
            self._model = model
            self._tasks.put(lambda worker: worker.choose_model(model))

    def cover_first(self, paths: Sequence[Path]) -> None:
        """Works out these files, which one is looking at, before the others."""
        chosen = tuple(paths)
        self._tasks.put(lambda worker: worker.cover_first(chosen))

    def explain(self, path: Path) -> None:
        """Says by `explained` what every tensor of one file does to the model of `choose_model`."""
        self._do(lambda worker: worker.explain(path))

    def stop(self, seconds: float = 10) -> bool:
        """Ends the thread at the next file or megabyte; False when it is still held up by the disk."""
        self._stopping.set()
        self._tasks.put(None)
        if self._thread.is_alive():
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def _do(self, task: "Task") -> None:
        """Queue a task that somebody waits for; the thread starts with the first one."""
        self._tasks.put(task)
        if self._thread.ident is None:
            self._thread.start()

    def _work(self) -> None:
        """The thread's body; what it needs is imported there, beside the window's start."""
        from catalog.worker import CatalogWorker

        CatalogWorker(self._folders, self, self._tasks, self._stopping).run()
