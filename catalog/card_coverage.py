"""How much of each file of the library applies to one model, worked out file by file and kept in memory."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from catalog.coverage import Cover, cover
from catalog.coverage_words import Tally, tally
from catalog.errors import CatalogError, UnreadableFile
from catalog.experts import Expert
from catalog.header import read_header
from catalog.inventory import Inventory
from catalog.model_layers import layers_of
from catalog.models import ModelInfo

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CardCoverage:
    """How much of the file at `path` applies to `model`."""

    path: Path
    model: ModelInfo
    tally: Tally


@dataclass(frozen=True, slots=True)
class Explained:
    """The whole coverage of the file at `path` on `model`; None with one sentence in `problem`."""

    path: Path
    model: ModelInfo
    cover: Cover | None
    problem: str = ""


class CardCoverages:
    """The files that wait for their coverage on the model chosen last. For one thread.

    Headers alone are read. What was found is kept by path, time of change and model.
    """

    def __init__(self) -> None:
        self._model: ModelInfo | None = None
        self._experts: dict[Expert, Inventory] = {}
        self._waiting: dict[Path, None] = {}
        self._found: dict[tuple[Path, int, ModelInfo], CardCoverage] = {}

    def choose(self, model: ModelInfo, paths: Iterable[Path]) -> None:
        """Begin anew with `model`; no file has a coverage on a model whose layers are not known."""
        self._model, self._experts, self._waiting = model, _layers(model), {}
        self.add(paths)

    def add(self, paths: Iterable[Path]) -> None:
        """Let more files wait, in the order of their names."""
        if self._experts:
            self._waiting |= dict.fromkeys(sorted(paths, key=lambda path: path.name.casefold()))

    def prefer(self, paths: Iterable[Path]) -> None:
        """Let these of the waiting files be next."""
        first = dict.fromkeys(path for path in paths if path in self._waiting)
        self._waiting = first | self._waiting

    def is_waiting(self) -> bool:
        """Whether there is a next one."""
        return bool(self._waiting)

    def next(self) -> CardCoverage | None:
        """The coverage of the file that waits longest; None when it cannot be read."""
        assert self._model is not None
        path = next(iter(self._waiting))
        del self._waiting[path]
        try:
            key = path, path.stat().st_mtime_ns, self._model
            if key not in self._found:
                laid = cover(read_header(path), self._experts)
                self._found[key] = CardCoverage(path, self._model, tally(laid.coverage, laid.refusal))
        except (OSError, UnreadableFile) as error:
            _log.info("%s: %s", path.name, error)
            return None
        return self._found[key]

    def explain(self, path: Path) -> Explained | None:
        """Every key of one file; None while no model is chosen."""
        if self._model is None:
            return None
        if not self._experts:
            return Explained(path, self._model, None, "The layers of this model are not known.")
        try:
            return Explained(path, self._model, cover(read_header(path), self._experts))
        except CatalogError as error:
            return Explained(path, self._model, None, str(error))


def _layers(model: ModelInfo) -> dict[Expert, Inventory]:
    try:
        return layers_of(model)
    except CatalogError as error:
        _log.info("no coverage on %s: %s", model.title, error)
        return {}
