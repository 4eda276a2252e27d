"""The desk: a header, the strips, and a place to drop more."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QScrollArea, QVBoxLayout, QWidget

from ui.browser.cards import CARD_MIME, paths_in
from ui.desk.desk_menu_button import DeskMenuButton
from ui.desk.drop_zone import DropZone
from ui.desk.mime import STRIP_MIME

if TYPE_CHECKING:
    from catalog.library import Entry
    from engine.verdict import Verdict
    from ui.desk.strip import StripView
    from ui.state.automation import Automation
    from ui.state.hearing import Hearing
    from ui.state.mix import MixState

AT_ONCE, BREATH = 3, 10
"""So many strips are made before the window does anything else, for so many milliseconds: more would hold it up."""


class DeskPanel(QFrame):
    """Keeps one StripView per strip of the mix. Files from outside are the window's to take.

    `coverage_asked` names the strip whose file one wants to know about, `audition_asked` the one to be
    compared with and without.
    """

    coverage_asked = Signal(str)
    audition_asked = Signal(str)
    grid_asked = Signal()
    """Clips of many strengths are wanted side by side."""

    def __init__(
        self,
        mix: MixState,
        hearing: Hearing,
        automation: Automation,
        entry_of: Callable[[Path], Entry | None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._mix, self._hearing, self._automation, self._entry_of = mix, hearing, automation, entry_of
        self._views: dict[str, StripView] = {}
        self.setProperty("ground", "panel")
        self.setAcceptDrops(True)
        self._build()
        mix.placed.connect(self._sync)
        mix.strip_changed.connect(self._refresh)
        mix.changed.connect(self._refresh_hearing)
        hearing.changed.connect(self._refresh_hearing)
        automation.axis_changed.connect(self._refresh_all)
        automation.stepped.connect(self._refresh_hearing)
        self._sync()

    @property
    def views(self) -> tuple[StripView, ...]:
        """The strips as they are shown, from the top; where many came at once, those that are there by now."""
        return tuple(self._views[s.id] for s in self._mix.strips if s.id in self._views)

    def _build(self) -> None:
        title, self._count = QLabel("Desk"), QLabel()
        self.menu_button = DeskMenuButton()
        self.menu_button.clicked.connect(self._open_menu)
        title.setProperty("px", "15")
        self._count.setProperty("tone", "secondary")
        self._count.setProperty("px", "12")
        header = QHBoxLayout()
        header.setContentsMargins(8, 0, 0, 0)
        header.setSpacing(12)
        header.addWidget(title)
        header.addWidget(self._count, 1)
        header.addWidget(self.menu_button)
        self._header, self._buttons = header, list[QWidget]((self.menu_button,))
        inside = QWidget()
        self._strips = QVBoxLayout()
        self._strips.setSpacing(8)
        self._zone = DropZone()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(self._strips)
        column.addWidget(self._zone)
        column.addStretch(1)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(inside)
        self._fresh = ""
        bar = self._scroll.verticalScrollBar()
        bar.rangeChanged.connect(self._reveal)
        bar.actionTriggered.connect(self._forget_fresh)
        box = QVBoxLayout(self)
        box.setContentsMargins(8, 12, 8, 8)
        box.setSpacing(12)
        box.addLayout(header)
        box.addWidget(self._scroll, 1)

    # Showing

    def _sync(self) -> None:
        """Make the views follow the strips."""
        ids = [s.id for s in self._mix.strips]
        lost = next(
            (i for i, v in enumerate(self._views.values()) if v.id not in ids and _has_focus(v)), None
        )
        for id in [id for id in self._views if id not in ids]:
            view = self._views.pop(id)
            self._strips.removeWidget(view)
            view.hide()
            view.deleteLater()
        fresh = next((id for id in reversed(ids) if id not in self._views), None)
        missing = [id for id in ids if id not in self._views]
        self._views |= {id: self._make_view(id) for id in missing[:AT_ONCE]}
        self._views = {id: self._views[id] for id in ids if id in self._views}
        for index, view in enumerate(self._views.values()):
            if self._strips.indexOf(view) != index:
                self._strips.removeWidget(view)
                self._strips.insertWidget(index, view)
        self._count.setText({0: "empty", 1: "1 strip"}.get(len(ids), f"{len(ids)} strips"))
        self._zone.show_state(is_hot=False, is_empty=not ids)
        self._order_tabs()
        if fresh is not None:
            self._fresh = fresh
            QTimer.singleShot(0, self, self._reveal)
        if lost is not None and ids:
            self.views[min(lost, len(self._views) - 1)].setFocus()
        if len(missing) > AT_ONCE:
            QTimer.singleShot(BREATH, self, self._sync)

    def add_to_header(self, button: QWidget) -> None:
        """Put a button beside the one that opens the menu."""
        self._header.insertWidget(self._header.count() - 1, button)
        self._buttons.insert(0, button)
        self._order_tabs()

    def _make_view(self, id: str) -> StripView:
        from ui.desk.strip import StripView  # the first strip comes when the window is there

        view = StripView(id, self._mix, self._hearing, self._automation)
        view.coverage_asked.connect(self.coverage_asked)
        view.audition_asked.connect(self.audition_asked)
        return view

    def _reveal(self) -> None:
        """Keep the newest strip in view while the strips find their heights, until the user scrolls."""
        if view := self._views.get(self._fresh):
            self._scroll.ensureWidgetVisible(view, 0, 8)

    def menu(self) -> QMenu:
        """What can be done with all strips."""
        from ui.desk.desk_menu import desk_menu

        menu = desk_menu(self, self.views, self._automation)
        menu.addSeparator()
        menu.addAction("Grid of strengths…\tCtrl+G", self.grid_asked.emit)
        return menu

    def _open_menu(self) -> None:
        self.menu().popup(self.menu_button.mapToGlobal(self.menu_button.rect().bottomLeft()))

    def _forget_fresh(self) -> None:
        self._fresh = ""

    def _order_tabs(self) -> None:
        chain = [*self._buttons, *(widget for view in self.views for widget in view.tab_chain())]
        for first, second in pairwise(chain):
            QWidget.setTabOrder(first, second)

    def show_verdict(self, id: str, verdict: Verdict | None) -> None:
        """Show at a strip what an audition found of it."""
        if view := self._views.get(id):
            view.show_verdict(verdict)

    def _refresh(self, id: str) -> None:
        if view := self._views.get(id):
            view.refresh()

    def _refresh_all(self) -> None:
        for view in self._views.values():
            view.refresh()

    def _refresh_hearing(self) -> None:
        for view in self._views.values():
            view.refresh_hearing()

    # Dropping

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        data = event.mimeData()
        if data.hasFormat(CARD_MIME) or data.hasFormat(STRIP_MIME):
            event.acceptProposedAction()
            self._zone.show_state(data.hasFormat(CARD_MIME), not self._views)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._zone.show_state(False, not self._views)

    def dropEvent(self, event: QDropEvent) -> None:
        data = event.mimeData()
        if data.hasFormat(STRIP_MIME):
            id = bytes(data.data(STRIP_MIME).data()).decode()
            self._mix.move(id, self._index_at(event.position().toPoint().y(), id))
        elif data.hasFormat(CARD_MIME):
            self._mix.add_all([(path, self._entry_of(path)) for path in paths_in(data)])
        else:
            event.ignore()
            return
        event.acceptProposedAction()
        self._zone.show_state(False, not self._views)

    def _index_at(self, y: int, moved: str) -> int:
        """Before which of the other strips something dropped at this height belongs."""
        others = [view for view in self.views if view.id != moved]
        middles = [view.mapTo(self, view.rect().center()).y() for view in others]
        return sum(middle < y for middle in middles)


def _has_focus(view: StripView) -> bool:
    inner = view.focusWidget()
    return view.hasFocus() or (inner is not None and inner.hasFocus())
