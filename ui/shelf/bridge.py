"""Asks the Hub and downloads on threads of its own, and tells by signals."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from ui.threads import Threads

if TYPE_CHECKING:
    from catalog.download import Progress
    from ui.shelf.order import Order

_BETWEEN = 0.1
_UNKNOWN = ("The download ended in a way that nobody foresaw.", "The log has the details.")


class ShelfBridge(QObject):
    """All methods return at once. Keep it alive until `stop` has returned; connect with slots of QObjects.

    `endpoint` is another Hub than $HF_ENDPOINT or the public one, `free` tells the free bytes of a disk.
    """

    listed = Signal(object)
    """Repository"""
    not_listed = Signal(str, object)
    """The name of a repository, and the CatalogError that says why nothing is known of it."""
    looked = Signal()
    """One `look` is through."""
    progressed = Signal(object)
    """Progress of the download under way, ten times per second."""
    finished = Signal(object)
    """Order: all its files are there."""
    stopped = Signal(object)
    """Order: cancelled; what has come is kept."""
    failed = Signal(object, str, str)
    """Order, a sentence, advice."""

    def __init__(
        self,
        parent: QObject | None = None,
        endpoint: str | None = None,
        free: Callable[[Path], int] | None = None,
    ) -> None:
        super().__init__(parent)
        self._endpoint, self._free = endpoint, free
        self._over = threading.Event()
        self._cancelled = threading.Event()
        self._threads = Threads("shelf")

    def look(self, names: Sequence[str]) -> None:
        """Find out what repositories hold; without a network the first of them says so for all."""
        chosen = tuple(names)
        self._threads.start(lambda: self._look(chosen))

    def download(self, order: Order) -> None:
        """Begin, or go on with what an earlier download left. One at a time."""
        cancelled = self._cancelled = threading.Event()
        self._threads.start(lambda: self._download(order, cancelled))

    def cancel(self) -> None:
        """End the download under way; `stopped` says when it has."""
        self._cancelled.set()

    def stop(self, seconds: float = 2) -> bool:
        """End everything, keeping what has come; False when the network still holds a thread up."""
        self._over.set()
        self._cancelled.set()
        return self._threads.join(seconds)

    # below: on a thread of the request's own

    def _tell(self, signal: Callable[..., object], *values: object) -> None:
        if not self._over.is_set():
            signal(*values)

    def _look(self, names: tuple[str, ...]) -> None:
        from catalog.errors import CatalogError, NoNetwork
        from catalog.hub import Hub

        hub, gone = Hub(self._endpoint), None
        for name in names:
            if self._over.is_set():
                return
            try:
                if gone:
                    raise gone
                self._tell(self.listed.emit, hub.repository(name))
            except CatalogError as error:
                gone = error if isinstance(error, NoNetwork) else gone
                self._tell(self.not_listed.emit, name, error)
        self._tell(self.looked.emit)

    def _download(self, order: Order, cancelled: threading.Event) -> None:
        from catalog.download import Download, free_space
        from catalog.errors import CatalogError
        from catalog.hub import Hub

        signal: Callable[..., object] = self.failed.emit
        values: tuple[object, ...] = (order, *_UNKNOWN)
        try:
            tell = _Teller(self.progressed.emit, cancelled)
            Download(order.items, Hub(self._endpoint), tell, self._free or free_space).run()
            signal, values = self.finished.emit, (order,)
        except _Cancelled:
            signal, values = self.stopped.emit, (order,)
        except CatalogError as error:
            values = (order, str(error), error.advice)
        finally:
            self._tell(signal, *values)


class _Cancelled(Exception):
    """Raised where a download listens."""


class _Teller:
    """Hands progress on, not too often, and ends a download that is cancelled."""

    def __init__(self, emit: Callable[[Progress], object], cancelled: threading.Event) -> None:
        self._emit, self._cancelled = emit, cancelled
        self._next = 0.0

    def __call__(self, progress: Progress) -> None:
        if self._cancelled.is_set():
            raise _Cancelled
        now = time.monotonic()
        if now >= self._next or progress.done == progress.total:
            self._next = now + _BETWEEN
            self._emit(progress)
