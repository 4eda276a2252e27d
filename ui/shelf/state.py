"""What is known of the shelf, and the one download: followed by the dialog, the chooser and the bar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QObject, Signal

from catalog.errors import CatalogError, NoNetwork
from catalog.shelf import Shelved, Way, shared_repositories, shelf, ways, ways_in

if TYPE_CHECKING:
    from catalog.download import Progress
    from catalog.hub import Repository
    from ui.shelf.bridge import ShelfBridge
    from ui.shelf.order import Order

Phase = Literal["idle", "running", "stopping", "stopped", "failed", "finished"]


class ShelfState(QObject):
    """Nothing is asked of the network before `look`. A download goes on whoever looks at it."""

    changed = Signal()
    progressed = Signal()
    finished = Signal(object)
    """Order: all its files are there."""
    failed = Signal(object, str, str)
    """Order, a sentence, advice."""

    def __init__(self, bridge: ShelfBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._pending: set[str] = set()
        self.repositories: dict[str, Repository] = {}
        self.problems: dict[str, CatalogError] = {}
        self.order: Order | None = None
        self.progress: Progress | None = None
        self.phase: Phase = "idle"
        self.fault = self.advice = ""
        bridge.listed.connect(self._on_listed)
        bridge.not_listed.connect(self._on_not_listed)
        bridge.progressed.connect(self._on_progress)
        bridge.finished.connect(self._on_finished)
        bridge.stopped.connect(self._on_stopped)
        bridge.failed.connect(self._on_failed)

    @property
    def is_busy(self) -> bool:
        """Whether a download is under way."""
        return self.phase in ("running", "stopping")

    @property
    def percent(self) -> int | None:
        """How much of the download has come; None when there is none."""
        if not self.is_busy or self.progress is None:
            return 0 if self.is_busy else None
        return 100 * self.progress.done // max(1, self.progress.total)

    @property
    def no_network(self) -> CatalogError | None:
        """The error that says that the Hub cannot be reached, if it cannot."""
        return next((e for e in self.problems.values() if isinstance(e, NoNetwork)), None)

    def look(self, first: Sequence[str] = ()) -> None:
        """Ask for every repository of the shelf that is not known yet, `first` before the others."""
        names = dict.fromkeys((*first, *(name for one in shelf() for name in one.repositories)))
        self._ask([name for name in names if name not in self.repositories])

    def look_in(self, repository: str) -> None:
        """Ask for any repository, and for those of the parts that it may lack."""
        names = dict.fromkeys((repository, *shared_repositories()))
        self.repositories.pop(repository, None)
        self._ask([name for name in names if name not in self.repositories])

    def is_looking_at(self, names: Sequence[str]) -> bool:
        """Whether something of these is still awaited."""
        return not self._pending.isdisjoint(names)

    def ways(self, shelved: Shelved) -> tuple[Way, ...]:
        """The ways to have a model, as far as they are known."""
        return ways(shelved, self.repositories)

    def ways_in(self, repository: str) -> tuple[Way, ...]:
        """The ways that any repository offers, as far as they are known."""
        found = self.repositories.get(repository)
        return ways_in(found, self.repositories) if found else ()

    def sources(self, way: Way) -> tuple[Repository, ...]:
        """The repositories that the files of a way come from."""
        return tuple(self.repositories[name] for name in way.repositories if name in self.repositories)

    def start(self, order: Order) -> None:
        """Download, or go on with it."""
        if self.is_busy:
            return
        self.order, self.progress, self.fault, self.advice = order, None, "", ""
        self.phase = "running"
        self._bridge.download(order)
        self.changed.emit()

    def cancel(self) -> None:
        """End the download; what has come is kept."""
        if self.phase == "running":
            self.phase = "stopping"
            self._bridge.cancel()
            self.changed.emit()

    def _ask(self, names: list[str]) -> None:
        wanted = [name for name in names if name not in self._pending]
        if not wanted:
            return
        self._pending.update(wanted)
        for name in wanted:
            self.problems.pop(name, None)
        self._bridge.look(wanted)
        self.changed.emit()

    def _on_listed(self, repository: Repository) -> None:
        self._pending.discard(repository.name)
        self.repositories[repository.name] = repository
        self.changed.emit()

    def _on_not_listed(self, name: str, error: CatalogError) -> None:
        self._pending.discard(name)
        self.problems[name] = error
        self.changed.emit()

    def _on_progress(self, progress: Progress) -> None:
        self.progress = progress
        self.progressed.emit()

    def _on_finished(self, order: Order) -> None:
        self._end("finished")
        self.finished.emit(order)

    def _on_stopped(self) -> None:
        self._end("stopped")

    def _on_failed(self, order: Order, sentence: str, advice: str) -> None:
        self._end("failed", sentence, advice)
        self.failed.emit(order, sentence, advice)

    def _end(self, phase: Phase, fault: str = "", advice: str = "") -> None:
        self.phase, self.fault, self.advice = phase, fault, advice
        self.changed.emit()
