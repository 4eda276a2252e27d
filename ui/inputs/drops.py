"""What happens to pictures and clips that are dropped on the window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint
from PySide6.QtGui import QImage

from ui.drop_overlay import RECIPES, DropPlan, plain_plan
from ui.state.input_places import CLIPS, SPOKEN, Place, is_picture
from ui.state.inputs import InputState

if TYPE_CHECKING:
    from ui.inputs.row import InputRow


def plan_of(paths: tuple[Path, ...], row: InputRow | None, inputs: InputState) -> DropPlan:
    """What a drop of these files would do, on each slot and elsewhere."""
    plain = plain_plan(paths)
    if not _are_inputs(paths):
        return plain
    landings = row.landings(paths[0]) if row else []
    words = plain.words
    if is_picture(paths[0]):
        place = inputs.place_for(paths[0])
        words = f"Drop to use as {_spoken(place)}" if place else "This model takes no pictures"
    elif landings and paths[0].suffix.lower() in RECIPES:
        words = f"{words}, or on a slot to go on from it"
    return DropPlan(words, tuple(landings))


def is_taken(paths: tuple[Path, ...], place: QPoint, row: InputRow | None, inputs: InputState) -> bool:
    """Put dropped files in the slot at a place of the window, and pictures also where there is none.

    False for what is no input: a recipe to be opened, or files to install.
    """
    if not _are_inputs(paths):
        return False
    if row is not None and row.take_dropped(paths, row.mapFrom(row.window(), place)):
        return True
    pictures = all(map(is_picture, paths))
    if pictures:
        inputs.take(paths)
    return pictures


def take_image(image: QImage, place: QPoint, row: InputRow | None, inputs: InputState) -> None:
    """Keep a picture that has no file, and put it in the slot at a place of the window, or where it is wanted."""
    if not image.isNull():
        inputs.paste(image, row.place_at(row.mapFrom(row.window(), place)) if row else None)


def _are_inputs(paths: tuple[Path, ...]) -> bool:
    """Whether these are pictures and clips alone."""
    return bool(paths) and all(is_picture(path) or path.suffix.lower() in CLIPS for path in paths)


def _spoken(place: Place) -> str:
    return SPOKEN[place.field].replace("a ", "the ", 1) if place.index == 0 else "another reference image"
