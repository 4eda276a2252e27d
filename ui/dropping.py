"""What becomes of that which is dropped on the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint
from PySide6.QtWidgets import QWidget

from ui.drop_overlay import RECIPES, DropOverlay, DropPlan
from ui.inputs.drops import is_taken, plan_of, take_image

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtGui import QImage

    from catalog.install import InstallReport
    from ui.desk.desk import DeskPanel
    from ui.message_bar import MessageBar
    from ui.stage.panel import StagePanel
    from ui.state.states import States


class Dropping(QObject):
    """Pictures go to the model, a recipe is opened, and all else is installed: on the desk, too, if dropped there."""

    def __init__(
        self, window: QWidget, states: States, desk: DeskPanel, stage: StagePanel, bar: MessageBar
    ) -> None:
        super().__init__(window)
        self._window, self._states, self._desk, self._stage, self._bar = window, states, desk, stage, bar
        self._wanted_on_desk: set[str] = set()
        overlay = DropOverlay(window, self._plan)
        overlay.dropped.connect(self._take)
        overlay.image_dropped.connect(self._take_image)
        for child in window.findChildren(QWidget):
            if child.acceptDrops() and child not in (overlay, desk):
                overlay.guard(child)
        states.catalog.install_finished.connect(self._on_installed)

    def _plan(self, paths: tuple[Path, ...]) -> DropPlan:
        return plan_of(paths, self._stage.input_row, self._states.inputs)

    def _take_image(self, image: QImage, place: QPoint) -> None:
        take_image(image, place, self._stage.input_row, self._states.inputs)

    def _take(self, paths: tuple[Path, ...], place: QPoint) -> None:
        if is_taken(paths, place, self._stage.input_row, self._states.inputs):
            return
        recipes = [p for p in paths if p.suffix.lower() in RECIPES and p.is_file()]
        if len(recipes) == len(paths) == 1:
            if not self._states.recipes.open(recipes[0]):
                self._point_at_slots(recipes[0])
            return
        if self._desk.rect().contains(self._desk.mapFrom(self._window, place)):
            self._wanted_on_desk |= {p.name for p in paths}
        self._states.catalog.install(paths)

    def _point_at_slots(self, clip: Path) -> None:
        """A clip without a recipe may have been meant for the model."""
        places = [place.title.lower() for place in self._states.inputs.places if place.fits(clip)]
        if places:
            sentence = f"To give “{clip.name}” to the model, drop it on a slot below the settings."
            self._bar.say("info", sentence, f"It can be the {', or the '.join(places)}.", "")

    def _on_installed(self, report: InstallReport) -> None:
        known = [(entry.path, entry.path.name) for entry in report.installed]
        known += [(there, dropped.name) for dropped, there in report.duplicates]
        wanted = [path for path, name in known if name in self._wanted_on_desk]
        self._states.mix.add_all([(path, self._states.cards.entry_of(path)) for path in wanted])
        self._wanted_on_desk.clear()
