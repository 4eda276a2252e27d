"""The button that makes one video of a grid: asks how large and where to, and stops what it began."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton

from engine.frame_limits import most_pixels
from ui.grid.export import Export
from ui.grid.view import GridView
from ui.state.grid import GridState

FILTERS = {".mp4": "MP4 video (*.mp4)", ".webm": "WebM video (*.webm)", ".gif": "Animated GIF (*.gif)"}
Say = Callable[[str, str, str, str], None]
_KEY = "Ctrl+S"
_TIP = f"Save the whole grid as one mp4, webm or gif ({_KEY})"
_STOP_TIP = f"Stop the export; nothing is left of it ({_KEY})"
_FULL_TIP = "Every clip with all its pixels; large videos take a while, and not every player shows them"


class ExportButton(QPushButton):
    """Exports the cells of the moment as they look in a view."""

    def __init__(self, state: GridState, view: GridView, say: Say) -> None:
        super().__init__("Export…")
        self._state, self._view, self._say = state, view, say
        self._folder = Path.home()
        self._percent: int | None = None
        self._is_stopped = False
        self.setAutoDefault(False)
        self.setShortcut(_KEY)
        self.setToolTip(_TIP)
        self.setAccessibleName("Export video")
        self.clicked.connect(self._ask_or_stop)
        state.files.exporting.connect(self._on_exporting)
        state.files.exported.connect(self._on_exported)

    def refresh(self) -> None:
        """Show whether there is something to export, and how far an export is."""
        is_exporting = self._percent is not None
        text = f"Stop · {self._percent} %" if is_exporting else "Export…"
        self.setEnabled(bool(self._state.finished) and not self._is_stopped)
        if self.text() != text:
            self.setText(text)
            self.setShortcut(_KEY)  # a new text takes the shortcut away
            self.setToolTip(_STOP_TIP if is_exporting else _TIP)
            self.setAccessibleName("Stop the export" if is_exporting else "Export video")

    def export_to(self, file: Path, is_full: bool = False) -> None:
        """Write the grid to a video, as small as in memory or with all pixels; what is not rendered stays empty."""
        grid = self._state.grid
        if grid is None or not self._state.finished or self._percent is not None:
            return
        if file.suffix.lower() not in FILTERS:
            file = file.with_name(f"{file.name}.mp4")
            if file.exists():  # the dialog asked about another name
                advice = "Export again and type the whole name to replace it."
                self._say("refused", f"{file.name} is already there.", advice, "")
                return
        self._folder = file.parent
        export = self._export(is_full, file.suffix.lower())
        self._state.files.export(file, export, grid.recipe.fps or 16, grid.whole_recipe)
        self._on_exporting(0)

    def menu_of_sizes(self) -> QMenu | None:
        """What to choose from; None where the clips in memory have all their pixels."""
        small, full = self._export(False), self._export(True)
        if full.detail <= small.detail:
            return None
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        here = menu.addAction(f"Small: {_size(small)}…")
        here.setToolTip("The clips as small as they are in memory; quick")
        here.triggered.connect(lambda: self._ask(False))
        words = "Full size" if full.share == 1 else f"Clips at {full.share:.0%} of their size"
        most = menu.addAction(f"{words}: {_size(full)}…")
        most.setToolTip(_FULL_TIP)
        most.triggered.connect(lambda: self._ask(True))
        return menu

    def _export(self, is_full: bool, suffix: str = ".mp4") -> Export:
        grid = self._state.grid
        assert grid is not None
        cells = tuple(replace(cell) for cell in self._state.cells)
        return Export(grid, cells, self._view.look, is_full, most_pixels(suffix, grid.recipe.frames or 1))

    def _ask_or_stop(self) -> None:
        if self._percent is not None:
            self._is_stopped = True
            self._state.files.break_off()
            self.refresh()
        elif menu := self.menu_of_sizes():
            menu.aboutToHide.connect(menu.deleteLater)
            size = menu.sizeHint()
            menu.popup(self.mapToGlobal(QPoint(self.width() - size.width(), -size.height())))
        else:
            self._ask(False)

    def _ask(self, is_full: bool) -> None:
        said, _ = QFileDialog.getSaveFileName(
            self, "Export the grid", str(self._folder / "grid.mp4"), ";;".join(FILTERS.values())
        )
        if said:
            self.export_to(Path(said), is_full)

    def _on_exporting(self, percent: int) -> None:
        self._percent = percent
        self.refresh()

    def _on_exported(self, file: Path | None, sentence: str, advice: str) -> None:
        was_stopped, self._is_stopped, self._percent = self._is_stopped, False, None
        self.refresh()
        if file is None:
            self._say("info" if was_stopped else "refused", sentence, advice, "")
        else:
            self._say("info", f"Saved as {file.name}.", advice, str(file))


def _size(export: Export) -> str:
    _, height, width = export.shape
    return f"{width} × {height}"
