"""Opens the full list for a card or a strip; one list at a time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from catalog.bridge import CatalogBridge
    from catalog.card_coverage import Explained
    from catalog.models import ModelInfo
    from engine.gauge import FileGauged, Gauge
    from ui.coverage.window import CoverageWindow
    from ui.state.strip import Attachment, StripState


class CoverageOpener(QObject):
    """Asks the catalog about a file that nobody has explained yet."""

    def __init__(self, catalog: CatalogBridge, parent: QWidget) -> None:
        super().__init__(parent)
        self._catalog, self._owner = catalog, parent
        self._wanted: Path | None = None
        self._sizes: dict[Path, Gauge] = {}
        self.window: CoverageWindow | None = None
        catalog.explained.connect(self._on_explained)

    def open_file(self, name: str, path: Path, model: ModelInfo) -> None:
        """Show what the catalog finds in the file; at once, though it may still be reading."""
        self._wanted = path
        window = self._show(name, model)
        if path in self._sizes:
            window.show_sizes(self._sizes[path])
        self._catalog.explain(path)

    def open_strip(self, strip: StripState, said: Attachment, model: ModelInfo) -> None:
        """Show what the engine said when it attached the strip's file; where it refused, what the catalog finds."""
        if said.coverage is None:
            self.open_file(strip.name, strip.path, model)
        else:
            self._wanted = None
            self._show(strip.name, model).show_coverage(said.coverage, gauge=said.gauge)

    def show_sizes(self, said: FileGauged) -> None:
        """A file was measured: the list shows it, now or when it is opened."""
        if said.gauge is None:
            self._sizes.pop(said.path, None)
            return
        self._sizes[said.path] = said.gauge
        if self.window is not None and said.path == self._wanted:
            self.window.show_sizes(said.gauge)

    def _show(self, name: str, model: ModelInfo) -> CoverageWindow:
        if self.window is not None:
            self.window.close()
        from ui.coverage.window import CoverageWindow  # not before somebody asks: the window starts sooner

        window = CoverageWindow(name, model, self._owner)
        self.window = window
        window.finished.connect(lambda _code: self._forget(window))
        window.show()
        return window

    def _forget(self, window: CoverageWindow) -> None:
        if self.window is window:
            self.window = None

    def _on_explained(self, said: Explained) -> None:
        if self.window is None or said.path != self._wanted:
            return
        if said.cover is None:
            self.window.show_problem(said.problem)
        else:
            self.window.show_coverage(said.cover.coverage, said.cover.refusal)
