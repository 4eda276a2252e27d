"""Opening and saving recipes: the run's settings and the desk's strips together."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from catalog.errors import CatalogError
from catalog.portable import portable
from catalog.recipe import LoraUse, Recipe, dumps, loads, playable, unknown_fields
from ui.state.input_places import whole
from ui.state.mix import GROUP

if TYPE_CHECKING:
    from catalog.folders import Folders
    from catalog.library import Entry
    from ui.browser.cards import CardModel
    from ui.state.mix import MixState
    from ui.state.run import RunState
    from ui.state.strip import StripState

    Recall = Callable[[Recipe, tuple[StripState, ...]], None]

BEFORE = "before_accelerator"
"""Where the last session says what was set before its accelerator."""


class RecipeDesk(QObject):
    """Brings a recipe, or the one inside a clip, to stage and desk; and writes what is there to a file."""

    message = Signal(str, str, str, str)
    laid = Signal()
    """A recipe's settings are on the stage; what hears this can still be undone together with its strips."""

    def __init__(
        self, run: RunState, mix: MixState, cards: CardModel, folders: Folders, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._run, self._mix, self._cards, self._folders = run, mix, cards, folders

    def look_in(self, folders: Folders) -> None:
        """Where files that recipes name are looked for from now on."""
        self._folders = folders

    def recipe(self) -> Recipe:
        """Settings and strips as they stand, files by their whole paths."""
        return playable(replace(self._run.recipe(), loras=self._mix.uses()))

    def open(self, path: Path) -> bool:
        """Open a recipe or a clip; LoRAs that are missing are named and the rest opens."""
        from catalog.recipe_files import load  # with ffmpeg, for which the window need not wait

        try:
            recipe = load(path)
        except (CatalogError, OSError) as error:
            advice = error.advice if isinstance(error, CatalogError) else ""
            self.message.emit("refused", f"“{path.name}” cannot be opened: {error}", advice, "")
            return False
        missing = self._bring(recipe, path)
        if missing:
            advice = "Drop the file on the window and open the recipe again."
            self._name(missing, f"“{path.name}” is open without", advice)
        if unknown := unknown_fields(recipe):
            sentence = f"“{path.name}” says things that this version does not know: {', '.join(unknown)}."
            self.message.emit("look", sentence, "They change nothing here.", "")
        return True

    def show(self, recipe: Recipe, then: Callable[[], None] = lambda: None) -> None:
        """Put a recipe of this machine on stage and desk, then do `then`; where something is missing a message
        says so, and that is all.
        """
        self._run.apply_recipe(recipe, partial(self._lay, recipe, then))

    def _lay(self, recipe: Recipe, then: Callable[[], None]) -> None:
        found, missing = self._locate(recipe, self._folders.library / "recipe.json")
        self._load(found)
        if missing:
            self._name(missing, "The desk is without", "Put the file back, then try again.")
        else:
            then()

    def save(self, path: Path) -> None:
        """Write the recipe to a file that the user named."""
        try:
            _write(path, dumps(portable(self.recipe(), path.parent)))
        except OSError as error:
            advice = "Choose another folder."
            self.message.emit("refused", f"“{path.name}” cannot be written: {error.strerror}.", advice, "")
        else:
            self.message.emit("info", f"Recipe saved as {path.name}.", "", str(path))

    def keep(self, path: Path, before: Recipe | None = None) -> None:
        """Write stage and desk down for the next start, with what was `before` the accelerator that is on it;
        where that fails it begins with an empty desk.
        """
        extra = {} if before is None else {BEFORE: json.loads(dumps(before))}
        now = replace(self._run.recipe(), loras=self._mix.all_uses(), computing=None, extra=extra)
        with contextlib.suppress(OSError):
            _write(path, dumps(playable(now)))

    def bring_back(self, path: Path, recall: Recall = lambda before, strips: None) -> None:
        """Put on stage and desk what the last session left there, as far as it still exists; then `recall` what
        was before the accelerator.
        """
        from catalog.recipe_files import load

        with contextlib.suppress(CatalogError, OSError):
            recipe = load(path)
            self._bring(recipe, path, partial(self._begin_anew, recipe, path, recall))

    def _begin_anew(self, recipe: Recipe, path: Path, recall: Recall) -> None:
        self._mix.undo.clear()
        with contextlib.suppress(CatalogError):
            if (said := recipe.extra.get(BEFORE)) is not None:
                before = loads(json.dumps(said))
                found, _ = self._locate(replace(before, accelerator=None), path)  # these came without it
                recall(before, self._mix.opened(found))

    def _bring(
        self, recipe: Recipe, path: Path, then: Callable[[], None] = lambda: None
    ) -> list[tuple[LoraUse, str]]:
        """Show a recipe, then do `then`; returns the LoRAs that are not there, with the reasons."""
        found, missing = self._locate(recipe, path)

        def lay() -> None:
            self._load(found)
            then()

        # its LoRAs are brought even where its model is not there
        seen = replace(recipe, model=_seen_from(path, recipe.model), inputs=whole(recipe.inputs, path))
        self._run.apply_recipe(seen, lay, lay)
        return missing

    def _load(self, found: list[tuple[LoraUse, Path, Entry | None]]) -> None:
        self._mix.undo.beginMacro("open recipe")
        self.laid.emit()
        self._mix.load(found)
        self._mix.undo.endMacro()

    def _name(self, missing: list[tuple[LoraUse, str]], sentence: str, advice: str) -> None:
        names = ", ".join(f"“{Path(use.file).name}”" for use, _ in missing)
        details = "\n".join(f"{use.file}: {why}" for use, why in missing)
        self.message.emit("look", f"{sentence} {names}.", advice, details)

    def _locate(
        self, recipe: Recipe, path: Path
    ) -> tuple[list[tuple[LoraUse, Path, Entry | None]], list[tuple[LoraUse, str]]]:
        from catalog.recipe_files import locate

        found: list[tuple[LoraUse, Path, Entry | None]] = []
        missing: list[tuple[LoraUse, str]] = []
        for use in recipe.loras:
            try:
                file = locate(use, path, self._folders)
            except CatalogError as error:
                missing.append((use, str(error)))
            else:
                found.append((_grouped(use, file, recipe.accelerator), file, self._cards.entry_of(file)))
        return found, missing


def _grouped(use: LoraUse, file: Path, accelerator: str | None) -> LoraUse:
    """The use of a file that came with the recipe's accelerator says so."""
    if accelerator is None:
        return use
    from catalog.accelerators import accelerator as profile_of

    profile = profile_of(accelerator)
    is_part = profile is not None and profile.part_of(file) is not None
    return replace(use, extra={**use.extra, GROUP: accelerator}) if is_part else use


def _seen_from(recipe: Path, model: str) -> str:
    """A model's name with the whole path, where it is named by its way from the recipe's folder."""
    if model.startswith(("\\\\", "//")):
        return model  # looking at a stranger's network path would send them our credentials
    place = recipe.absolute().parent / model
    return str(place.resolve()) if model != "demo" and place.exists() else model


def _write(path: Path, text: str) -> None:
    """Write beside the place, then move it there, so that no half of a file is ever left."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(text, "utf-8")
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
