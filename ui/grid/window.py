"""The window of the grid: its set-up at the left, its clips beside it, what can be done with them below."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QCloseEvent, QHideEvent, QKeyEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from engine.grid import file_stem
from ui.elided_label import ElidedLabel
from ui.grid.export import frames_of
from ui.grid.setup import GridSetup
from ui.grid.view import GridView
from ui.grid.words import progress_words
from ui.message_bar import MessageBar
from ui.stage.icon_button import IconButton
from ui.stage.playback import Playback
from ui.stage.reveal import reveal
from ui.stage.transport import Transport
from ui.state.grid import GridState
from ui.theme import font

FILTERS = {".mp4": "MP4 video (*.mp4)", ".webm": "WebM video (*.webm)", ".gif": "Animated GIF (*.gif)"}
_SIDE = 348
EMPTY = "Choose what changes along the columns and the rows, then press Render."


class GridWindow(QDialog):
    """Stays open beside the work. Escape stops the grid, then closes; finished cells stay either way."""

    def __init__(
        self, setup: GridSetup, state: GridState, outputs: Callable[[], Path], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._state, self._outputs = state, outputs
        self._folder, self._taken, self._is_exporting = Path.home(), "", False
        self.setup = setup
        self.playback = Playback(self)
        self.view = GridView(state, self.playback)
        self.transport = Transport(self.playback)
        self.bar = MessageBar()
        self.status, self.chosen, self.empty = ElidedLabel(), ElidedLabel(), QLabel(EMPTY)
        self.progress = QProgressBar()
        self.file = IconButton("folder", "Show the clip in its folder", "Show the clip in its folder")
        self.render_button = _button("Render", "Render the grid as it is set up (Ctrl+Enter)", "Ctrl+Return")
        self.rest = _button("Render the rest", "Render the cells that have no clip yet")
        self.take = _button(
            "Take these strengths", "Put the chosen cell's strengths on the desk (Enter, double-click)"
        )
        self.export = _button(
            "Export video…", "Save the whole grid as one mp4, webm or gif (Ctrl+S)", "Ctrl+S"
        )
        self.recipes = _button("Save recipes…", "Save the recipe of every cell in a new folder")
        self.setWindowTitle("Grid")
        self._dress()
        self._arrange()
        self._connect()
        self._fit()
        self._refresh()

    def _dress(self) -> None:
        self.render_button.setProperty("primary", True)
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Cells that are finished")
        self.status.setFont(font(12, is_tabular=True))
        self.status.setProperty("tone", "secondary")
        self.status.setAccessibleName("Progress")
        self.chosen.setFont(font(13, is_bold=True))
        self.chosen.setAccessibleName("The chosen cell")
        self.empty.setProperty("tone", "secondary")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)

    def _arrange(self) -> None:
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setWidget(self.view)
        for bar in (self.area.horizontalScrollBar(), self.area.verticalScrollBar()):
            bar.valueChanged.connect(self.view.update)  # labels stay in view
        self.foot = self._foot()
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
        side = QFrame()
        side.setProperty("ground", "panel")
        side.setFixedWidth(_SIDE)
        inner = QScrollArea()
        inner.setWidgetResizable(True)
        inner.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inner.setFrameShape(QFrame.Shape.NoFrame)
        inner.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        holder = QWidget()
        held = QVBoxLayout(holder)
        held.setContentsMargins(0, 0, 0, 0)
        held.addWidget(self.setup)
        held.addStretch(1)
        inner.setWidget(holder)
        column = QVBoxLayout(side)
        column.setContentsMargins(16, 16, 16, 12)
        column.setSpacing(8)
        column.addWidget(inner, 1)
        for widget in (self.status, self.progress, self.rest, self.render_button):
            column.addWidget(widget)
        return side

    def _foot(self) -> QWidget:
        foot, row = QWidget(), QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.chosen, 1)
        for widget in (self.file, self.take, self.recipes, self.export):
            row.addWidget(widget)
        column = QVBoxLayout(foot)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(row)
        column.addWidget(self.transport)
        return foot

    def _connect(self) -> None:
        self.render_button.clicked.connect(self._render_or_cancel)
        self.rest.clicked.connect(self._state.resume)
        self.file.clicked.connect(self._show_file)
        self.take.clicked.connect(self._take)
        QShortcut(QKeySequence.StandardKey.Undo, self, self._undo)
        self.export.clicked.connect(self._ask_video)
        self.recipes.clicked.connect(self._ask_folder)
        self.view.taken.connect(self._take)
        self.view.chosen.connect(self._refresh)
        self.view.revealed.connect(self._reveal)
        self._state.changed.connect(self._refresh)
        self._state.cell_changed.connect(self._show_clip)
        self._state.message.connect(self.bar.say)
        self._state.files.written.connect(self._on_written)

    def _fit(self) -> None:
        room = self.screen().availableSize()
        self.setMinimumSize(min(860, room.width()), min(560, room.height()))
        self.resize(min(1280, room.width() - 48), min(800, room.height() - 64))

    # Showing

    def _refresh(self) -> None:
        state = self._state
        has_grid, has_clips = state.grid is not None, bool(state.finished)
        self.empty.setVisible(not has_grid)
        self.area.setVisible(has_grid)
        self.foot.setVisible(has_grid)
        self._dress_render()
        self.progress.setVisible(state.is_going)
        self.progress.setRange(0, max(len(state.cells), 1))
        self.progress.setValue(state.finished)
        self.status.setText(progress_words(state))
        self.status.setVisible(has_grid)
        self.rest.setVisible(has_grid and not state.is_going and bool(state.missing))
        self.rest.setEnabled(state.can_resume)
        for button in (self.take, self.recipes):
            button.setEnabled(has_grid)
        self.export.setEnabled(has_clips and not self._is_exporting)
        self.export.setText("Exporting…" if self._is_exporting else "Export video…")
        self._show_chosen()

    def _dress_render(self) -> None:
        """One button begins and stops; only what begins is the main action."""
        is_going, button = self._state.is_going, self.render_button
        word = "Cancel" if is_going else "Render"
        if button.text() == word:
            return
        button.setText(word)
        button.setShortcut("Ctrl+Return")  # a new text takes the shortcut away
        button.setAccessibleName(word)
        button.setToolTip(
            "Stop; the finished cells stay (Esc)"
            if is_going
            else "Render the grid as it is set up (Ctrl+Enter)"
        )
        button.setProperty("primary", not is_going)
        button.style().unpolish(button)
        button.style().polish(button)

    def _show_chosen(self) -> None:
        cells, place = self._state.cells, self.view.place
        cell = cells[place] if place < len(cells) else None
        self.chosen.setText(
            f"{cell.name} – {cell.words}" if cell and not cell.file else cell.name if cell else ""
        )
        self.file.setVisible(cell is not None and cell.file is not None)

    def _show_clip(self, place: int) -> None:
        """Let the playback have the first clip's frames: all clips have as many."""
        small = self._state.cells[place].small
        grid = self._state.grid
        if small is not None and grid is not None and not self.playback.count:
            self.playback.show(small, float(grid.recipe.fps or 16))

    def _show_first_clip(self) -> None:
        """Whichever it is: all clips have as many frames, and each finds its own at the same moment."""
        for place in range(len(self._state.cells)):
            self._show_clip(place)

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

    def _show_file(self) -> None:
        if file := self._state.cells[self.view.place].file:
            reveal(file)

    def _undo(self) -> None:
        """What was taken onto the desk is taken back here, too."""
        self._state.undo()
        self.bar.withdraw(self._taken)

    def _ask_video(self) -> None:
        said, _ = QFileDialog.getSaveFileName(
            self, "Export the grid", str(self._folder / "grid.mp4"), ";;".join(FILTERS.values())
        )
        if said:
            self.export_to(Path(said))

    def export_to(self, file: Path) -> None:
        """Write the grid to a video; what is not rendered stays empty in it."""
        grid = self._state.grid
        if grid is None or not self._state.finished:
            return
        if file.suffix.lower() not in FILTERS:
            file = file.with_name(f"{file.name}.mp4")
            if file.exists():  # the dialog asked about another name
                self.bar.say(
                    "refused", f"{file.name} is already there.", "Type the whole name to replace it."
                )
                return
        self._folder, look = file.parent, self.view.look
        cells = tuple(replace(cell) for cell in self._state.cells)
        fps = grid.recipe.fps or 16
        self._is_exporting = True
        self._refresh()
        self._state.files.export(file, lambda: frames_of(grid, cells, look), fps, grid.whole_recipe)

    def _ask_folder(self) -> None:
        said = QFileDialog.getExistingDirectory(
            self, "Save the recipes in a new folder in", str(self._folder)
        )
        if said:
            self.save_recipes(Path(said))

    def save_recipes(self, folder: Path) -> None:
        """Write every cell's recipe into a new folder in `folder`."""
        grid = self._state.grid
        if grid is not None:
            self._folder = folder
            recipes = [(file_stem(s.cell), s.recipe or grid.cell_recipe(s.cell)) for s in self._state.cells]
            self._state.files.write_recipes(folder, recipes)

    def _on_written(self, path: Path | None, sentence: str, advice: str) -> None:
        self._is_exporting = False
        self._refresh()
        if path is None:
            self.bar.say("refused", sentence, advice)
        elif path.is_dir():
            self.bar.say("info", f"The recipes are in “{path.name}”.", "", str(path))
        else:
            self.bar.say("info", f"Saved as {path.name}.", "", str(path))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._state.is_going:
            self._state.cancel()
        elif event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):  # they belong to the fields
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show_first_clip()

    def hideEvent(self, event: QHideEvent) -> None:
        self.playback.show(None, self.playback.fps)  # nothing need move that nobody sees
        super().hideEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._state.cancel()
        super().closeEvent(event)


def _button(text: str, tip: str, key: str = "") -> QPushButton:
    button = QPushButton(text)
    button.setAutoDefault(False)
    button.setToolTip(tip)
    button.setAccessibleName(text.removesuffix("…"))
    if key:
        button.setShortcut(key)
    return button
