"""The window of the grid: its set-up at the left, its clips beside it, what can be done with them below."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QCloseEvent, QHideEvent, QKeyEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from ui.elided_label import ElidedLabel
from ui.grid.foot import GridFoot
from ui.grid.setup import GridSetup
from ui.grid.view import GridView
from ui.grid.words import progress_words
from ui.message_bar import MessageBar
from ui.plain_button import plain_button
from ui.restyle import restyle
from ui.stage.playback import Playback
from ui.state.grid import GridState
from ui.theme import font

EMPTY = "Choose what changes along the columns and the rows, then press Render."
_SIDE = 348
_RENDER_TIP = "Render the grid as it is set up (Ctrl+Enter)"


class GridWindow(QDialog):
    """Stays open beside the work. Escape stops the grid, then closes; finished cells stay either way."""

    def __init__(
        self, setup: GridSetup, state: GridState, outputs: Callable[[], Path], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._state, self._outputs = state, outputs
        self._taken = ""
        self.setup = setup
        self.playback = Playback(self)
        self.view = GridView(state, self.playback)
        self.bar = MessageBar()
        self.foot = GridFoot(state, self.view, self.playback, self.bar.say)
        self.status, self.empty = ElidedLabel(), QLabel(EMPTY)
        self.progress = QProgressBar()
        self.render_button = plain_button("Render", _RENDER_TIP)
        self.rest = plain_button("Render the rest", "Render the cells that have no clip yet")
        self.setWindowTitle("Grid")
        self._dress()
        self._arrange()
        self._connect()
        self._fit()
        self._refresh()

    def _dress(self) -> None:
        self.render_button.setProperty("primary", True)
        self.render_button.setShortcut("Ctrl+Return")
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Cells that are finished")
        self.status.setFont(font(12, is_tabular=True))
        self.status.setProperty("tone", "secondary")
        self.status.setAccessibleName("Progress")
        self.empty.setProperty("tone", "secondary")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)

    def _arrange(self) -> None:
        self.area = _scrolling(self.view)
        for bar in (self.area.horizontalScrollBar(), self.area.verticalScrollBar()):
            bar.valueChanged.connect(self.view.update)  # labels stay in view
        stage = QFrame()
        stage.setProperty("ground", "background")
        right = QVBoxLayout(stage)
        right.setContentsMargins(8, 8, 16, 12)
        right.setSpacing(8)
        right.addWidget(self.empty, 1)
        right.addWidget(self.area, 1)
        right.addWidget(self.foot)
        body = QHBoxLayout()
        body.setSpacing(0)
        body.addWidget(self._side())
        body.addWidget(stage, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addLayout(body, 1)

    def _side(self) -> QFrame:
        side, holder = QFrame(), QWidget()
        side.setProperty("ground", "panel")
        side.setFixedWidth(_SIDE)
        held = QVBoxLayout(holder)
        held.setContentsMargins(0, 0, 0, 0)
        held.addWidget(self.setup)
        held.addStretch(1)
        inner = _scrolling(holder)
        inner.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column = QVBoxLayout(side)
        column.setContentsMargins(16, 16, 16, 12)
        column.setSpacing(8)
        column.addWidget(inner, 1)
        for widget in (self.status, self.progress, self.rest, self.render_button):
            column.addWidget(widget)
        return side

    def _connect(self) -> None:
        self.render_button.clicked.connect(self._render_or_cancel)
        self.rest.clicked.connect(self._state.resume)
        self.foot.take_asked.connect(self._take)
        self.view.taken.connect(self._take)
        self.view.chosen.connect(self._refresh)
        self.view.revealed.connect(self._reveal)
        self._state.changed.connect(self._refresh)
        self._state.cell_changed.connect(self._show_clip)
        self._state.message.connect(self.bar.say)
        QShortcut(QKeySequence.StandardKey.Undo, self, self._undo)

    def _fit(self) -> None:
        room = self.screen().availableSize()
        self.setMinimumSize(min(860, room.width()), min(560, room.height()))
        self.resize(min(1280, room.width() - 48), min(800, room.height() - 64))

    # Showing

    def _refresh(self) -> None:
        state, has_grid = self._state, self._state.grid is not None
        self.empty.setVisible(not has_grid)
        self.area.setVisible(has_grid)
        self.foot.setVisible(has_grid)
        self.progress.setVisible(state.is_going)
        self.progress.setRange(0, max(len(state.cells), 1))
        self.progress.setValue(state.finished)
        self.status.setText(progress_words(state))
        self.status.setVisible(has_grid)
        self.rest.setVisible(has_grid and not state.is_going and bool(state.missing))
        self.rest.setEnabled(state.can_resume)
        self._dress_render()
        self.foot.refresh()

    def _dress_render(self) -> None:
        """One button begins and stops; only what begins is the main action."""
        is_going, button = self._state.is_going, self.render_button
        word = "Cancel" if is_going else "Render"
        if button.text() == word:
            return
        button.setText(word)
        button.setShortcut("Ctrl+Return")  # a new text takes the shortcut away
        button.setAccessibleName(word)
        button.setToolTip("Stop; the finished cells stay (Esc)" if is_going else _RENDER_TIP)
        restyle(button, "primary", not is_going)

    def _show_clip(self, place: int) -> None:
        """Let the playback have the first clip's frames: all clips have as many."""
        small, grid = self._state.cells[place].small, self._state.grid
        if small is not None and grid is not None and not self.playback.count:
            self.playback.show(small, float(grid.recipe.fps or 16))

    def _reveal(self, area: QRect) -> None:
        beside, above = self.view.margins
        x, y = area.center().x(), area.center().y()
        self.area.ensureVisible(x, y, area.width() // 2 + beside, area.height() // 2 + above)

    # Doing

    def _render_or_cancel(self) -> None:
        if self._state.is_going:
            self._state.cancel()
            return
        self.setup.refresh()
        if self.setup.problem:
            self.bar.say("look", self.setup.problem)
            return
        self.playback.show(None, self.playback.fps)
        self._state.begin(self.setup.grid(), self._outputs())
        self.view.show_grid()
        self.view.setFocus()

    def _take(self) -> None:
        """Put the chosen cell's strengths on the desk, and say so: the desk may be behind this window."""
        self._state.take(self.view.place)
        self.bar.withdraw(self._taken)
        self._taken = f"On the desk now: {self._state.cells[self.view.place].name}."
        self.bar.say("info", self._taken, "Ctrl+Z takes it back.")

    def _undo(self) -> None:
        """What was taken onto the desk is taken back here, too."""
        self._state.undo()
        self.bar.withdraw(self._taken)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._state.is_going:
            self._state.cancel()
        elif event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):  # they belong to the fields
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        for place in range(len(self._state.cells)):
            self._show_clip(place)

    def hideEvent(self, event: QHideEvent) -> None:
        self.playback.show(None, self.playback.fps)  # nothing need move that nobody sees
        super().hideEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._state.cancel()
        super().closeEvent(event)


def _scrolling(widget: QWidget) -> QScrollArea:
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidget(widget)
    return area
