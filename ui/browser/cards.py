"""The library's entries as a Qt model, and how they travel by drag."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QAbstractListModel,
    QByteArray,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QUrl,
)

from catalog.coverage_words import Tally, short
from ui.browser.words import full_text, kind_line

_MANY = 50
"""More cards than that go at once, rather than one by one."""

if TYPE_CHECKING:
    from catalog.card_coverage import CardCoverage
    from catalog.library import Entry
    from catalog.models import ModelInfo

CARD_MIME = "application/x-lora-alchemy-cards"
ENTRY_ROLE = int(Qt.ItemDataRole.UserRole) + 1
TALLY_ROLE = ENTRY_ROLE + 1
"""Tally | None: how much of the file applies to the model; None while that is not known."""

Index = QModelIndex | QPersistentModelIndex


class CardModel(QAbstractListModel):
    """All entries, sorted by name; news about a known path replaces what was known."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._entries: list[Entry] = []
        self._model: ModelInfo | None = None
        self._tallies: dict[Path, Tally] = {}

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All entries, by name."""
        return tuple(self._entries)

    def entry_of(self, path: Path) -> Entry | None:
        """What is known about the file at `path`."""
        return next((e for e in self._entries if e.path == path), None)

    def take(self, entries: Iterable[Entry]) -> None:
        """Add entries, or renew those whose path is known. Many at once cost one reset, not many moves."""
        fresh = {e.path: e for e in entries}
        known = {e.path: row for row, e in enumerate(self._entries)}
        for path in fresh.keys() & known.keys():
            row = known[path]
            if self._entries[row] != fresh[path]:
                self._entries[row] = fresh[path]
                self.dataChanged.emit(self.index(row), self.index(row))
        added = [e for path, e in fresh.items() if path not in known]
        if added:
            self.beginInsertRows(QModelIndex(), len(self._entries), len(self._entries) + len(added) - 1)
            self._entries += added
            self.endInsertRows()

    def choose_model(self, model: ModelInfo | None) -> None:
        """Forget how much applies to the model before."""
        if model != self._model:
            self._model, self._tallies = model, {}
            if self._entries:
                self.dataChanged.emit(self.index(0), self.index(len(self._entries) - 1))

    def take_coverage(self, coverages: Iterable[CardCoverage]) -> None:
        """News of how much applies; what is about another model comes too late and is dropped."""
        said = {each.path: each.tally for each in coverages if each.model == self._model}
        fresh = {path: tally for path, tally in said.items() if self._tallies.get(path) != tally}
        self._tallies |= fresh
        for row, entry in enumerate(self._entries):
            if entry.path in fresh:
                self.dataChanged.emit(self.index(row), self.index(row))

    def tally_of(self, path: Path) -> Tally | None:
        """How much of the file at `path` applies to the model, if that is known."""
        return self._tallies.get(path)

    def lose(self, paths: Sequence[Path]) -> None:
        """Drop the entries of files that are gone."""
        if len(paths) > _MANY:
            gone = set(paths)
            self.beginResetModel()
            self._entries = [entry for entry in self._entries if entry.path not in gone]
            self.endResetModel()
            return
        for path in paths:
            row = next((r for r, e in enumerate(self._entries) if e.path == path), None)
            if row is not None:
                self.beginRemoveRows(QModelIndex(), row, row)
                del self._entries[row]
                self.endRemoveRows()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._entries):
            return None
        entry = self._entries[index.row()]
        tally = self._tallies.get(entry.path)
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return entry.name
            case Qt.ItemDataRole.ToolTipRole:
                return f"{entry.name}\n{full_text(entry, tally)}\n\nEnter, double-click or drag puts it on the desk"
            case Qt.ItemDataRole.AccessibleTextRole:
                what = entry.problem or (entry.identity.summary if entry.identity else "")
                known = (entry.name, what, kind_line(entry), short(tally) if tally else "")
                return ", ".join(part for part in known if part)
            case _ if role == ENTRY_ROLE:
                return entry
            case _ if role == TALLY_ROLE:
                return tally
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        base = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
        is_usable = index.isValid() and not self._entries[index.row()].problem
        return base | Qt.ItemFlag.ItemIsDragEnabled if is_usable else base

    def mimeTypes(self) -> list[str]:
        return [CARD_MIME, "text/uri-list"]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        return mime_of([index.data(ENTRY_ROLE).path for index in indexes])


def mime_of(paths: Sequence[Path]) -> QMimeData:
    """The files as cards for this window and as plain files for others."""
    data = QMimeData()
    data.setData(CARD_MIME, QByteArray(json.dumps([str(p) for p in paths]).encode()))
    data.setUrls([QUrl.fromLocalFile(str(p)) for p in paths])
    return data


def paths_in(data: QMimeData) -> tuple[Path, ...]:
    """The local files in a drag: cards of this window, or files from elsewhere."""
    if data.hasFormat(CARD_MIME):
        return tuple(Path(p) for p in json.loads(bytes(data.data(CARD_MIME).data())))
    return tuple(Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile())
