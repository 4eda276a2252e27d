"""The dialog that gets a model: the list of them, the ways to have the chosen one, and the download."""

from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from catalog.download import free_space, size_words
from catalog.hub import is_name
from catalog.shelf import Shelved, Way, shelf
from ui.elided_label import ElidedLabel
from ui.fitting import fit
from ui.plain_button import plain_button
from ui.shelf.download_row import DownloadRow
from ui.shelf.model_list import OTHER, ModelList
from ui.shelf.order import Order
from ui.shelf.state import ShelfState
from ui.shelf.way_list import WayList
from ui.shelf.words import licence_words, needs_words, page, takes_words, way_title

_WIDTH, _HEIGHT, _LIST = 960, 640, 320
LOOKING = "Asking the Hub…"
NOTHING = "The repository offers no files of this model that can be used here."
NOTHING_AT_ALL = (
    "There is no Wan model in it that can be used here, or its files have names that say nothing."
)
NO_NAME = "Type a repository as owner/name, as in the address of its page."


class ShelfDialog(QDialog):
    """Says by `open_wanted` that a model which is here shall be opened, by `folder_chosen` where to."""

    open_wanted = Signal(object)
    """Order"""
    folder_chosen = Signal(object)
    """Path"""

    def __init__(self, state: ShelfState, folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state, self._folder = state, folder
        self._shelf = {shelved.row.id: shelved for shelved in shelf()}
        self._asked = ""
        self.setWindowTitle("Get a model")
        self._build()
        self._arrange()
        self._connect()
        fit(self, _WIDTH, _HEIGHT)
        self.list.setCurrentRow(0)

    def _build(self) -> None:
        self.list, self.ways, self.foot = ModelList(), WayList(), DownloadRow(self._state)
        self.title, self.does, self.note = QLabel(), QLabel(), QLabel()
        self.needs, self.licence, self.room = QLabel(), QLabel(), QLabel()
        self.title.setProperty("px", "15")
        for label in (self.does, self.note, self.needs, self.licence, self.room):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(label is not self.room)
            label.setProperty("tone", "secondary")
            label.setProperty("px", "12")
        self.licence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.name = QLineEdit()
        self.name.setPlaceholderText("owner/name")
        self.name.setAccessibleName("Repository on the Hub")
        self.name.setToolTip("The name of a repository, as in the address of its page")
        self.name.setMaxLength(200)
        self.look = plain_button("Look", "See what the repository offers (Enter)")
        self.again = plain_button("Try again", "Ask the Hub again")
        self.page = plain_button(
            "Open page", "Open the repository’s page in the browser, to read its licence"
        )
        self.where = ElidedLabel()
        self.change = plain_button("Change…", "Choose the folder that models are downloaded into")

    def _arrange(self) -> None:
        search, trouble, licence, into = QHBoxLayout(), QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        for row in (search, trouble, licence, into):
            row.setSpacing(8)
        search.addWidget(self.name, 1)
        search.addWidget(self.look)
        trouble.addWidget(self.note, 1)
        trouble.addWidget(self.again)
        licence.addWidget(self.licence, 1)
        licence.addWidget(self.page, 0, Qt.AlignmentFlag.AlignTop)
        label = QLabel("Into")
        label.setProperty("tone", "secondary")
        for widget, stretch in ((label, 0), (self.where, 1), (self.room, 0), (self.change, 0)):
            into.addWidget(widget, stretch)
        right = QVBoxLayout()
        right.setSpacing(10)
        right.addWidget(self.title)
        right.addWidget(self.does)
        right.addLayout(search)
        right.addLayout(trouble)
        right.addWidget(self.ways, 9)
        right.addWidget(self.needs)
        right.addLayout(licence)
        right.addStretch(1)
        right.addLayout(into)
        right.addWidget(self.foot)
        self.list.setFixedWidth(_LIST)
        box = QHBoxLayout(self)
        box.setContentsMargins(16, 16, 20, 16)
        box.setSpacing(20)
        box.addWidget(self.list)
        box.addLayout(right, 1)

    def _connect(self) -> None:
        self.foot.main.setDefault(True)
        self.list.picked.connect(self._show_model)
        self.ways.chosen.connect(self._show_way)
        self.look.clicked.connect(self._look)
        self.name.textEdited.connect(lambda: self.look.setDefault(True))
        self.again.clicked.connect(self._try_again)
        self.page.clicked.connect(self._open_page)
        self.change.clicked.connect(self._ask_folder)
        self.foot.open_wanted.connect(self.open_wanted)
        self.foot.close_wanted.connect(self.close)
        self._state.changed.connect(self._refresh)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        shelved = self._shelved
        self._state.look(shelved.repositories if shelved else ())
        self._refresh()

    @property
    def order(self) -> Order | None:
        """What the buttons are about."""
        return self.ways.order

    @property
    def _shelved(self) -> Shelved | None:
        return self._shelf.get(self.list.picked_id)

    def _show_model(self) -> None:
        is_other = self.list.picked_id == OTHER
        self.name.setVisible(is_other)
        self.look.setVisible(is_other)
        if is_other:
            self.name.setFocus()
        self._refresh()

    def _refresh(self) -> None:
        if not self.isVisible():
            return
        shelved = self._shelved
        self.title.setText(shelved.row.title if shelved else "Another repository")
        self.does.setText(f"{shelved.does} {takes_words(shelved)}" if shelved else NO_NAME)
        found = self._state.ways(shelved) if shelved else self._state.ways_in(self._asked)
        self.ways.show_orders([self._order(way, shelved) for way in found], is_named=shelved is None)
        self._show_note(bool(found))
        self.list.mark(self._marks())
        self.where.setText(str(self._folder))
        self._show_way()

    def _order(self, way: Way, shelved: Shelved | None) -> Order:
        row = shelved.row if shelved else way.row
        return Order(row.title if row else way.parts[0].name, way, self._folder)

    def _show_note(self, has_ways: bool) -> None:
        names = self._shelved.repositories if self._shelved else (self._asked,)
        problem = next((self._state.problems[n] for n in names if n in self._state.problems), None)
        is_looking = self._state.is_looking_at(names)
        words = f"{problem} {problem.advice}" if problem else ""
        if is_looking and not has_ways:
            words = LOOKING
        elif not has_ways and not problem and self._asked_or_shelved:
            words = NOTHING if self._shelved else NOTHING_AT_ALL
        self.note.setText(words)
        self.note.setVisible(bool(words))
        self.note.setProperty("tone", "look" if problem and not is_looking else "secondary")
        self.note.style().polish(self.note)
        self.again.setVisible(problem is not None and not is_looking)

    @property
    def _asked_or_shelved(self) -> bool:
        return bool(self._shelved or self._asked)

    def _marks(self) -> dict[str, str]:
        """What is said beside the models of the list: here, or how far the download is."""
        marks = {}
        for id, shelved in self._shelf.items():
            is_here = any(self._order(way, shelved).is_here for way in self._state.ways(shelved))
            marks[id] = "here" if is_here else ""
        busy = self._state.order if self._state.is_busy else None
        if busy and busy.way.row:
            marks[busy.way.row.id] = "downloading"
        return marks

    def _show_way(self) -> None:
        order, shelved = self.order, self._shelved
        for widget in (self.needs, self.licence, self.page):
            widget.setVisible(order is not None)
        if order:
            self.needs.setText(needs_words(order.way, shelved.memory if shelved else ""))
            self.licence.setText(f"Licence\n{licence_words(self._state.sources(order.way))}")
            self.ways.setAccessibleDescription(way_title(order.way))
        try:
            self.room.setText(f"{size_words(free_space(self._folder))} free")
        except OSError:
            self.room.setText("cannot be reached")
        self.foot.show_order(order)

    def _look(self) -> None:
        name = self.name.text().strip().removeprefix("https://huggingface.co/").strip("/")
        self.foot.main.setDefault(True)
        if not is_name(name):
            self.note.setText(NO_NAME)
            self.note.show()
            return
        self._asked = name
        self._state.look_in(name)
        self._refresh()

    def _try_again(self) -> None:
        if self._shelved:
            self._state.look(self._shelved.repositories)
        else:
            self._state.look_in(self._asked)

    def _open_page(self) -> None:
        if self.order:
            QDesktopServices.openUrl(QUrl(page(self.order.way)))

    def _ask_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Folder for models", str(self._folder))
        if chosen:
            self._folder = Path(chosen)
            self.folder_chosen.emit(self._folder)
            self._refresh()
