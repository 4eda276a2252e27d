"""Which cards are shown: the words searched for and the chips that are on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QObject, QSortFilterProxyModel, Qt

from ui.browser.cards import ENTRY_ROLE, TALLY_ROLE, Index
from ui.browser.words import is_suspect, letters

if TYPE_CHECKING:
    from catalog.coverage_words import Tally
    from catalog.library import Entry
    from catalog.models import ModelInfo

Chip = Literal["fits", "high", "low", "problem"]


class CardFilter(QSortFilterProxyModel):
    """Every word must be found in name, family, summary, kind or trigger words; every chip must hold."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._words: tuple[str, ...] = ()
        self._chips: frozenset[Chip] = frozenset()
        self._model: ModelInfo | None = None
        self.setSortCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.setDynamicSortFilter(True)
        self.sort(0)

    def search(self, text: str) -> None:
        """Show only what has all these words."""
        self._words = tuple(text.casefold().split())
        self.invalidate()

    def set_chips(self, chips: frozenset[Chip]) -> None:
        """Show only what all these chips hold for."""
        self._chips = chips
        self.invalidate()

    def set_model(self, model: ModelInfo | None) -> None:
        """The model that “fits” is about."""
        self._model = model
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:
        index = self.sourceModel().index(row, 0, parent)
        entry, tally = index.data(ENTRY_ROLE), index.data(TALLY_ROLE)
        return self._has_words(entry) and all(self._holds(chip, entry, tally) for chip in self._chips)

    def _has_words(self, entry: Entry) -> bool:
        parts = [entry.name, entry.problem]
        if identity := entry.identity:
            parts += [identity.family, identity.summary, *identity.kinds, *identity.trigger_words]
        text = " ".join(parts).casefold()
        return all(word in text for word in self._words)

    def _holds(self, chip: Chip, entry: Entry, tally: Tally | None) -> bool:
        if chip == "problem":
            return is_suspect(entry)
        if chip == "fits" and tally is not None:
            return tally.tone != "refused"
        if chip == "fits":
            is_known = entry.identity is not None and self._model is not None
            from catalog.identify import misfit  # no cards, no question: the window starts without it

            return is_known and not misfit(entry.identity, self._model)  # type: ignore[arg-type]
        return chip[0].upper() in letters(entry)
