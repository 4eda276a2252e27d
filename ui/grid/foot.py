"""What is under the clips of a grid: the chosen one, what can be done with it and all, and the transport."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from engine.grid import file_stem
from ui.elided_label import ElidedLabel
from ui.grid.export_button import ExportButton, Say
from ui.grid.view import GridView
from ui.plain_button import plain_button
from ui.stage.icon_button import IconButton
from ui.stage.playback import Playback
from ui.stage.reveal import reveal
from ui.stage.transport import Transport
from ui.state.grid import GridState
from ui.theme import font


class GridFoot(QWidget):
    """Follows the chosen cell of a view. `take_asked` wants its strengths on the desk."""

    take_asked = Signal()

    def __init__(self, state: GridState, view: GridView, playback: Playback, say: Say) -> None:
        super().__init__()
        self._state, self._view, self._say = state, view, say
        self._folder = Path.home()
        self.chosen = ElidedLabel()
        self.chosen.setFont(font(13, is_bold=True))
        self.chosen.setAccessibleName("The chosen cell")
        self.file = IconButton("folder", "Show the clip in its folder", "Show the clip in its folder")
        self.take = plain_button(
            "To the desk", "Put the chosen cell's strengths on the desk (Enter, double-click)"
        )
        self.recipes = plain_button("Recipes…", "Save the recipe of every cell in a new folder")
        self.take.setAccessibleName("Take these strengths")
        self.recipes.setAccessibleName("Save recipes")
        self.export = ExportButton(state, view, say)
        self._arrange(Transport(playback))
        self.take.clicked.connect(self.take_asked)
        self.file.clicked.connect(self._show_file)
        self.recipes.clicked.connect(self._ask_folder)
        state.files.written.connect(self._on_written)

    def refresh(self) -> None:
        """Show the chosen cell, and what can be done now."""
        cells, place = self._state.cells, self._view.place
        cell = cells[place] if place < len(cells) else None
        words = "" if cell is None else cell.name if cell.file else f"{cell.name} – {cell.words}"
        self.chosen.setText(words)
        self.file.setVisible(cell is not None and cell.file is not None)
        self.take.setEnabled(cell is not None)
        self.recipes.setEnabled(cell is not None)
        self.export.refresh()

    def save_recipes(self, folder: Path) -> None:
        """Write every cell's recipe into a new folder in `folder`."""
        grid = self._state.grid
        if grid is not None:
            self._folder = folder
            recipes = [(file_stem(s.cell), s.recipe or grid.cell_recipe(s.cell)) for s in self._state.cells]
            self._state.files.write_recipes(folder, recipes)

    def _arrange(self, transport: Transport) -> None:
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.chosen, 1)
        for widget in (self.file, self.take, self.recipes, self.export):
            row.addWidget(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(row)
        column.addWidget(transport)

    def _show_file(self) -> None:
        if file := self._state.cells[self._view.place].file:
            reveal(file)

    def _ask_folder(self) -> None:
        said = QFileDialog.getExistingDirectory(
            self, "Save the recipes in a new folder in", str(self._folder)
        )
        if said:
            self.save_recipes(Path(said))

    def _on_written(self, path: Path | None, sentence: str, advice: str) -> None:
        if path is None:
            self._say("refused", sentence, advice, "")
        else:
            self._say("info", f"The recipes are in “{path.name}”.", "", str(path))
