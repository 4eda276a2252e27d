"""The browser: search, chips, cards, and what is known about the selected one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QFile, QPoint, Qt, QUrl, Signal
from PySide6.QtGui import QAction, QDesktopServices, QGuiApplication, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QMessageBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ui.browser.card_filter import CardFilter, Chip
from ui.browser.card_view import CardView
from ui.browser.cards import ENTRY_ROLE, CardModel
from ui.browser.details import DetailsPane
from ui.theme import icon, theme, watcher

if TYPE_CHECKING:
    from catalog.library import Entry
    from catalog.models import ModelInfo
    from engine.gauge import FileGauged

CHIPS: tuple[tuple[Chip, str, str], ...] = (
    ("fits", "Fits model", "Only what fits the loaded model"),
    ("high", "High", "Only what is for the high-noise expert"),
    ("low", "Low", "Only what is for the low-noise expert"),
    ("problem", "Look", "Only what is unreadable, not for Wan, or not what its name says"),
)
EMPTY = "Drop .safetensors here to install"


class BrowserPanel(QFrame):
    """Shows a CardModel. `chosen` carries the entry that is wanted on the desk, `coverage_wanted` the one
    whose full list of what applies is wanted, `sizes_wanted` the path of the file that is to be measured.
    """

    chosen = Signal(object)
    coverage_wanted = Signal(object)
    sizes_wanted = Signal(object)
    trashed = Signal(object)
    message = Signal(str, str, str, str)

    def __init__(self, cards: CardModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("ground", "panel")
        self._cards = cards
        self._sizes: dict[Path, FileGauged] = {}
        self._measuring: set[Path] = set()
        self._filter = CardFilter(self)
        self._filter.setSourceModel(cards)
        self._build_search()
        self._build_chips()
        self._build_view()
        self._arrange()
        for changed in (self._filter.rowsInserted, self._filter.rowsRemoved, self._filter.modelReset):
            changed.connect(self._count)
        cards.dataChanged.connect(self._show_details)
        watcher().changed.connect(self._wear)
        self._wear()
        self._count()

    @property
    def view(self) -> CardView:
        """The grid of cards."""
        return self._view

    @property
    def search(self) -> QLineEdit:
        """The search box."""
        return self._search

    def chip(self, chip: Chip) -> QPushButton:
        """The button of one filter chip."""
        return self._chips[chip]

    def current(self) -> Entry | None:
        """The entry that is selected."""
        index = self._view.currentIndex()
        entry: Entry | None = index.data(ENTRY_ROLE) if index.isValid() else None
        return entry

    def set_model(self, model: ModelInfo | None) -> None:
        """The model that “fits” is about."""
        self._cards.choose_model(model)
        self._filter.set_model(model)

    # Building

    def _build_search(self) -> None:
        self._search = QLineEdit()
        self._search.setClearButtonEnabled(True)
        self._search.setAccessibleName("Search the LoRA files")
        self._search.setToolTip("Search by name, trigger word or family (Ctrl+F); Down goes to the cards")
        self._search_icon = QAction(self)
        self._search.addAction(self._search_icon, QLineEdit.ActionPosition.LeadingPosition)
        self._search.textChanged.connect(self._filter.search)
        self._search.textChanged.connect(self._count)
        self._search.returnPressed.connect(self._choose_first)
        down = QShortcut(QKeySequence(Qt.Key.Key_Down), self._search, self._enter_cards)
        down.setContext(Qt.ShortcutContext.WidgetShortcut)

    def _build_chips(self) -> None:
        self._chips: dict[Chip, QPushButton] = {}
        for chip, text, tip in CHIPS:
            button = QPushButton(text)
            button.setCheckable(True)
            button.setProperty("chip", "true")
            button.setToolTip(tip)
            button.setAccessibleName(f"Filter: {text}")
            button.toggled.connect(self._apply_chips)
            self._chips[chip] = button

    def _build_view(self) -> None:
        self._view = CardView()
        self._view.setModel(self._filter)
        self._view.chosen.connect(self._choose)
        self._view.asked.connect(self._want_coverage)
        self._view.customContextMenuRequested.connect(self._open_menu)
        self._view.selectionModel().currentChanged.connect(self._show_details)
        self._details = DetailsPane()
        self._details.add_requested.connect(self._choose)
        self._details.copy_requested.connect(self._copy_triggers)
        self._details.coverage_requested.connect(self._want_coverage)
        self._details.measure_requested.connect(self._want_sizes)
        self._hint = QLabel(EMPTY)
        self._hint.setProperty("tone", "secondary")
        self._hint.setProperty("px", "12")
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)

    def _arrange(self) -> None:
        chips = QHBoxLayout()
        chips.setSpacing(4)
        for button in self._chips.values():
            chips.addWidget(button)
        chips.addStretch(1)
        box = QVBoxLayout(self)
        box.setContentsMargins(12, 12, 4, 8)
        box.setSpacing(8)
        top = QVBoxLayout()
        top.setContentsMargins(0, 0, 8, 0)
        top.setSpacing(8)
        top.addWidget(self._search)
        top.addLayout(chips)
        bottom = QVBoxLayout()
        bottom.setContentsMargins(0, 0, 8, 0)
        bottom.setSpacing(8)
        bottom.addWidget(self._details)
        bottom.addWidget(self._hint)
        box.addLayout(top)
        box.addWidget(self._view, 1)
        box.addLayout(bottom)

    def _wear(self) -> None:
        self._search_icon.setIcon(icon("search", theme().secondary))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._details.fit(self.height())

    # Following

    def _count(self) -> None:
        count = len(self._cards.entries)
        self._search.setPlaceholderText(f"Search {count} LoRAs…" if count > 1 else "Search…")
        is_filtered = bool(self._search.text()) or any(b.isChecked() for b in self._chips.values())
        self._view.show_empty("Nothing matches." if is_filtered and count else EMPTY)
        self._hint.setVisible(bool(self._filter.rowCount()))

    def _apply_chips(self) -> None:
        self._filter.set_chips(frozenset(c for c, button in self._chips.items() if button.isChecked()))
        self._count()

    def _show_details(self) -> None:
        entry = self.current()
        if entry is None:
            self._details.show_entry(None)
            return
        self._details.show_entry(entry, self._cards.tally_of(entry.path), self._sizes.get(entry.path))
        self._details.show_measuring(entry.path in self._measuring)

    def show_sizes(self, said: FileGauged) -> None:
        """A file was measured; the details say so while it is selected."""
        self._sizes[said.path] = said
        self._measuring.discard(said.path)
        self._show_details()

    def show_progress(self, done: int, total: int) -> None:
        """Say how far an installation is; 0 of 0 when there is none."""
        self._hint.setText(f"Installing {done + 1} of {total}…" if done < total else EMPTY)

    # Doing

    def _selected(self) -> tuple[Entry, ...]:
        indexes = self._view.selectionModel().selectedIndexes()
        return tuple(index.data(ENTRY_ROLE) for index in indexes)

    def _choose(self) -> None:
        for entry in self._selected():
            if entry.problem:
                self.message.emit("refused", f"“{entry.name}” cannot be used: {entry.problem}", "", "")
            else:
                self.chosen.emit(entry)

    def _want_sizes(self) -> None:
        if entry := self.current():
            self._measuring.add(entry.path)
            self._show_details()
            self.sizes_wanted.emit(entry.path)

    def _enter_cards(self) -> None:
        self._view.setFocus()
        if self._filter.rowCount() and not self._view.currentIndex().isValid():
            self._view.setCurrentIndex(self._filter.index(0, 0))

    def _choose_first(self) -> None:
        """Enter in the search box adds the card when only one is left, else goes to the cards."""
        self._enter_cards()
        if self._filter.rowCount() == 1:
            self._view.setCurrentIndex(self._filter.index(0, 0))
            self._choose()

    def _open_menu(self, place: QPoint) -> None:
        if entry := self.current():
            self.menu_for(entry).exec(self._view.viewport().mapToGlobal(place))

    def menu_for(self, entry: Entry) -> QMenu:
        """What one can do with a card."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Add to desk\tEnter", self._choose).setEnabled(not entry.problem)
        applies = menu.addAction("What applies…\tSpace", self._want_coverage)
        applies.setEnabled(not entry.problem)
        copy = menu.addAction("Copy trigger words", self._copy_triggers)
        copy.setEnabled(bool(entry.identity and entry.identity.trigger_words))
        menu.addAction("Show in folder", lambda: show_in_folder(entry.path))
        menu.addSeparator()
        trash = menu.addAction("Move to trash…", lambda: self._trash(entry))
        trash.setEnabled(entry.origin == "library")
        return menu

    def _want_coverage(self) -> None:
        entry = self.current()
        if entry and not entry.problem:
            self.coverage_wanted.emit(entry)

    def _copy_triggers(self) -> None:
        entry = self.current()
        if entry and entry.identity:
            words = ", ".join(entry.identity.trigger_words)
            QGuiApplication.clipboard().setText(words)
            self.message.emit("info", f"Copied: {words}", "", "")

    def _trash(self, entry: Entry) -> None:
        if not self.confirm(f"Move “{entry.path.name}” to the trash?"):
            return
        if QFile.moveToTrash(str(entry.path)):
            self.trashed.emit((entry.path,))
        else:
            advice = "Remove the file by hand: Show in folder."
            self.message.emit("refused", f"“{entry.path.name}” could not be moved to the trash.", advice, "")

    def confirm(self, question: str) -> bool:
        """Ask before something that this window cannot undo."""
        answer = QMessageBox.question(self, "Move to trash", question)
        return answer == QMessageBox.StandardButton.Yes


def show_in_folder(path: Path) -> None:
    """Open the system's file manager where the file is."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent)))
