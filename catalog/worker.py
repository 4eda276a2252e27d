"""What is done on the catalog's thread, one task after the other, and told by the bridge's signals."""

import logging
import queue
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from catalog.bridge import CatalogBridge, CatalogFailed
from catalog.card_coverage import CardCoverages
from catalog.errors import CatalogError
from catalog.folders import Folders
from catalog.install import install
from catalog.leftovers import sweep
from catalog.library import Entry, Library
from catalog.models import ModelInfo
from catalog.scan import is_unhashed, listing, with_hash

_log = logging.getLogger(__name__)
_BATCH = 50
_BATCH_SECONDS = 0.2
_COVERING_SECONDS = 0.2
_LONGEST_BREATH = 0.02


class _Stopped(Exception):
    """The window closes."""


class CatalogWorker:
    """Owns the library while it works; `tell` has a signal for everything that it finds."""

    def __init__(
        self,
        folders: Folders,
        tell: CatalogBridge,
        tasks: "queue.SimpleQueue[Callable[[CatalogWorker], None] | None]",
        stopping: threading.Event,
    ) -> None:
        self._folders, self._tell, self._tasks, self._stopping = folders, tell, tasks, stopping
        self._seen: set[Path] = set()
        self._unhashed: deque[Entry] = deque()
        self._coverages = CardCoverages()
        self._is_covering = False

    def run(self) -> None:
        """Do what comes, until the window closes; the one place where any failure becomes a message."""
        for folder in (self._folders.library, self._folders.outputs):
            sweep(folder)
        with Library(self._folders.database) as self._library:
            while (task := self._tasks.get()) is not None and not self._stopping.is_set():
                try:
                    task(self)
                except _Stopped:
                    return
                except CatalogError as error:
                    self._tell.failed.emit(CatalogFailed(str(error), error.advice))
                except Exception as error:  # noqa: BLE001 - the boundary: one log entry, one message
                    _log.exception("the catalog failed")
                    details = "".join(traceback.format_exception(error))
                    self._tell.failed.emit(CatalogFailed("The catalog met an unexpected error.", "", details))

    def _check(self) -> None:
        if self._stopping.is_set():
            raise _Stopped

    def use_library(self, folder: Path) -> None:
        """Takes that folder for the library; what is known of the one before is kept for the way back."""
        self._folders = replace(self._folders, library=folder)

    def scan(self) -> None:
        """Looks through the library and the built-in files."""
        seen: set[Path] = set()
        batch: list[Entry] = []
        self._unhashed.clear()
        sent = time.monotonic()
        for entry in listing(self._folders, self._library):
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
        seen |= self._out_of_reach()
        gone = self._seen - seen
        if gone:
            self._tell.lost.emit(tuple(sorted(gone)))
        roots = (self._folders.library, self._folders.built_in)
        known = set(self._library.paths()) - seen
        self._library.forget(path for path in known if any(map(path.is_relative_to, roots)))
        self._seen = seen
        self._tell.scan_finished.emit(len(seen))
        self._tasks.put(type(self)._hash_one)

    def _announce(self, entries: Iterable[Entry]) -> None:
        said = tuple(entries)
        self._tell.found.emit(said)
        self._coverages.add(entry.path for entry in said if not entry.problem)
        self._go_on_covering()

    def _out_of_reach(self) -> set[Path]:
        """The files known in a library whose folder is not there: an unplugged disk loses nothing."""
        root = self._folders.library
        if root.is_dir():
            return set()
        known = {path for path in {*self._library.paths(), *self._seen} if path.is_relative_to(root)}
        if known:
            title = f"The library folder is not there: {root}"
            self._tell.failed.emit(CatalogFailed(title, "Connect its disk, then look again with F5."))
        return known

    def _hash_one(self) -> None:
        # file by file, so that a drop does not wait until a large library is hashed
        if self._unhashed:
            hashed = with_hash(self._unhashed.popleft(), self._library, self._check)
            if hashed is not None:
                self._tell.found.emit((hashed,))
            self._tasks.put(type(self)._hash_one)

    def choose_model(self, model: ModelInfo) -> None:
        """Lays all files over another model, a few at a time."""
        self._coverages.choose(model, self._seen)
        self._go_on_covering()

    def cover_first(self, paths: tuple[Path, ...]) -> None:
        """Works out these files before the others."""
        self._coverages.prefer(paths)

    def explain(self, path: Path) -> None:
        """Lays one file over the model, with every tensor."""
        if said := self._coverages.explain(path):
            self._tell.explained.emit(said)

    def _go_on_covering(self) -> None:
        if self._coverages.is_waiting() and not self._is_covering:
            self._is_covering = True
            self._tasks.put(type(self)._cover_some)

    def _cover_some(self) -> None:
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
            self._tell.covered.emit(said)

    def install(self, paths: tuple[Path, ...]) -> None:
        """Installs files and folders."""
        last = (-1, -1)

        def progress(done: int, total: int) -> None:
            nonlocal last
            self._check()
            if (done, total) != last:
                last = (done, total)
                self._tell.install_progress.emit(done, total)

        report = install(paths, self._folders, self._library, progress)
        self._seen.update(entry.path for entry in report.installed)
        if report.installed:
            self._announce(report.installed)
        self._tell.install_finished.emit(report)
