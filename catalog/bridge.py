"""The catalog's thread: looks through folders, installs files, lays them over a model, and tells by signals."""

import logging
import queue
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from catalog.card_coverage import CardCoverages
from catalog.errors import CatalogError
from catalog.folders import Folders
from catalog.install import install
from catalog.library import Entry, Library
from catalog.models import ModelInfo
from catalog.scan import is_unhashed, listing, with_hash

_log = logging.getLogger(__name__)
_BATCH = 50
_BATCH_SECONDS = 0.2
_COVERING_SECONDS = 0.2
_LONGEST_BREATH = 0.02


@dataclass(frozen=True, slots=True)
class CatalogFailed:
    """Something in the catalog did not work: one sentence, what to do, details that can be copied."""

    title: str
    advice: str = ""
    details: str = ""


class _Stopped(Exception):
    """The window closes."""


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
        self._tasks: queue.SimpleQueue[Callable[[Library], None] | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._seen: set[Path] = set()
        self._unhashed: deque[Entry] = deque()
        self._model: ModelInfo | None = None
        self._coverages = CardCoverages()
        self._is_covering = False
        self._thread = threading.Thread(target=self._work, name="catalog", daemon=True)
        self._thread.start()

    def scan(self) -> None:
        """Looks through the library and the built-in files."""
        self._tasks.put(self._scan)

    def install(self, paths: Sequence[Path]) -> None:
        """Installs files and folders that were dropped on the window."""
        chosen = tuple(paths)
        self._tasks.put(lambda library: self._install(chosen, library))

    def choose_model(self, model: ModelInfo) -> None:
        """Says by `covered` how much of every file applies to `model`, also of files that come later."""
        if model != self._model:
            self._model = model
            self._tasks.put(lambda _library: self._choose(model))

    def cover_first(self, paths: Sequence[Path]) -> None:
        """Works out these files, which one is looking at, before the others."""
        chosen = tuple(paths)
        self._tasks.put(lambda _library: self._coverages.prefer(chosen))

    def explain(self, path: Path) -> None:
        """Says by `explained` what every tensor of one file does to the model of `choose_model`."""
        self._tasks.put(lambda _library: self._explain(path))

    def stop(self, seconds: float = 10) -> bool:
        """Ends the thread at the next file or megabyte; False when it is still held up by the disk."""
        self._stopping.set()
        self._tasks.put(None)
        self._thread.join(seconds)
        return not self._thread.is_alive()

    # below: on the catalog's thread

    def _work(self) -> None:
        with Library(self._folders.database) as library:
            while (task := self._tasks.get()) is not None and not self._stopping.is_set():
                try:
                    task(library)
                except _Stopped:
                    return
                except CatalogError as error:
                    self.failed.emit(CatalogFailed(str(error), error.advice))
                except Exception as error:  # noqa: BLE001 - the boundary: one log entry, one message
                    _log.exception("the catalog failed")
                    details = "".join(traceback.format_exception(error))
                    self.failed.emit(CatalogFailed("The catalog met an unexpected error.", "", details))

    def _check(self) -> None:
        if self._stopping.is_set():
            raise _Stopped

    def _scan(self, library: Library) -> None:
        seen: set[Path] = set()
        batch: list[Entry] = []
        self._unhashed.clear()
        sent = time.monotonic()
        for entry in listing(self._folders, library):
            self._check()
            seen.add(entry.path)
            batch.append(entry)
            if is_unhashed(entry):
                self._unhashed.append(entry)
            if len(batch) >= _BATCH or time.monotonic() - sent > _BATCH_SECONDS:
                self._announce(batch)
                batch, sent = [], time.monotonic()
        if batch:
            self._announce(batch)
        seen |= self._out_of_reach(library)
        gone = self._seen - seen
        if gone:
            self.lost.emit(tuple(sorted(gone)))
        library.forget(set(library.paths()) - seen)
        self._seen = seen
        self.scan_finished.emit(len(seen))
        self._tasks.put(self._hash_one)

    def _announce(self, entries: Iterable[Entry]) -> None:
        said = tuple(entries)
        self.found.emit(said)
        self._coverages.add(entry.path for entry in said if not entry.problem)
        self._go_on_covering()

    def _out_of_reach(self, library: Library) -> set[Path]:
        """The files known in a library whose folder is not there: an unplugged disk loses nothing."""
        root = self._folders.library
        if root.is_dir():
            return set()
        known = {path for path in {*library.paths(), *self._seen} if path.is_relative_to(root)}
        if known:
            title = f"The library folder is not there: {root}"
            self.failed.emit(CatalogFailed(title, "Connect its disk, then look again with F5."))
        return known

    def _hash_one(self, library: Library) -> None:
        # file by file, so that a drop does not wait until a large library is hashed
        if self._unhashed:
            hashed = with_hash(self._unhashed.popleft(), library, self._check)
            if hashed is not None:
                self.found.emit((hashed,))
            self._tasks.put(self._hash_one)

    def _choose(self, model: ModelInfo) -> None:
        self._coverages.choose(model, self._seen)
        self._go_on_covering()

    def _explain(self, path: Path) -> None:
        if said := self._coverages.explain(path):
            self.explained.emit(said)

    def _go_on_covering(self) -> None:
        if self._coverages.is_waiting() and not self._is_covering:
            self._is_covering = True
            self._tasks.put(self._cover_some)

    def _cover_some(self, _library: Library) -> None:
        # some at a time, for the same reason
        self._is_covering = False
        begun, done = time.monotonic(), []
        try:
            while self._coverages.is_waiting() and time.monotonic() - begun < _COVERING_SECONDS:
                self._check()
                started = time.monotonic()
                done.append(self._coverages.next())
                # it is all Python, so the window gets as long a turn
                self._stopping.wait(min(_LONGEST_BREATH, time.monotonic() - started))
        finally:
            self._go_on_covering()
        if said := tuple(each for each in done if each):
            self.covered.emit(said)

    def _install(self, paths: tuple[Path, ...], library: Library) -> None:
        last = (-1, -1)

        def progress(done: int, total: int) -> None:
            nonlocal last
            self._check()
            if (done, total) != last:
                last = (done, total)
                self.install_progress.emit(done, total)

        report = install(paths, self._folders, library, progress)
        self._seen.update(entry.path for entry in report.installed)
        if report.installed:
            self._announce(report.installed)
        self.install_finished.emit(report)
