"""Looks at files that may be parts of a model, on threads of its own, and tells by signals."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from ui.threads import Threads

if TYPE_CHECKING:
    from catalog.install import InstallReport
    from catalog.part_files import PartFile

MOST_FILES = 2000
_BATCH_SECONDS = 0.1


class PartsBridge(QObject):
    """All methods return at once. Keep it alive until `stop` has returned; connect with slots of QObjects."""

    found = Signal(object)
    """tuple[PartFile, ...]: of what `look` was given; files in folders only where they are parts."""
    finished = Signal(int)
    """One `look` is through: how many files in its folders were no parts."""
    sorted_out = Signal(object, object)
    """InstallReport, tuple[PartFile, ...]: the parts of models among the files that were refused."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._asked = threading.Event()
        self._threads = Threads("parts")

    def look(self, paths: Sequence[Path]) -> None:
        """Find out what files are, and what lies in folders; `found` says it bit by bit."""
        chosen, over = tuple(paths), self._asked
        self._threads.start(lambda: self._look(chosen, over))

    def sort_out(self, report: InstallReport) -> None:
        """Find out which of the files that are no LoRAs are parts of a model."""
        self._threads.start(lambda: self._sort_out(report))

    def forget(self) -> None:
        """Nobody waits for what is being looked at: no more is said of it."""
        self._asked.set()
        self._asked = threading.Event()

    def stop(self, seconds: float = 10) -> bool:
        """End at the next file; False when the disk still holds a thread up."""
        self.forget()
        return self._threads.join(seconds)

    # below: on a thread of the request's own

    def _look(self, paths: tuple[Path, ...], over: threading.Event) -> None:
        from catalog.part_files import look_at

        batch: list[PartFile] = []
        passed, sent = 0, time.monotonic()
        for path, is_given in _candidates(paths):
            if over.is_set():
                return
            file = look_at(path)
            if is_given or not file.refusal:
                batch.append(file)
            else:
                passed += 1
            if batch and time.monotonic() - sent > _BATCH_SECONDS:
                self.found.emit(tuple(batch))
                batch, sent = [], time.monotonic()
        if over.is_set():
            return
        if batch:
            self.found.emit(tuple(batch))
        self.finished.emit(passed)

    def _sort_out(self, report: InstallReport) -> None:
        from catalog.part_files import look_at

        looked = (look_at(path) for path, _ in report.refused[:MOST_FILES])
        self.sorted_out.emit(report, tuple(file for file in looked if file.kind))


def _candidates(paths: tuple[Path, ...]) -> Iterator[tuple[Path, bool]]:
    """Files and folders to look at, and whether they were given rather than found in a folder."""
    from catalog.part_files import spread

    for given in paths:
        for path in islice(spread(given), MOST_FILES):
            yield path, path == given
