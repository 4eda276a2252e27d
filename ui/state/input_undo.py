"""Undo for pictures: what was in the places before and after, and the clip's size where a picture gave it one."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtGui import QUndoCommand

from catalog.inputs import Inputs
from ui.inputs.look import Wanted
from ui.state.clip_sizes import Size


@dataclass
class Shaping:
    """The clip's size before a change, and after it where a picture changed it: once it was `wanted` and seen."""

    before: Size
    after: Size | None = None
    wanted: Wanted | None = None


Show = Callable[[Inputs, Shaping, Size | None], None]
"""Shows inputs, and a size in place of the other one of the Shaping, unless the user has set a third."""


class PicturesChange(QUndoCommand):
    """One step of undo; steps of the same gesture become one."""

    def __init__(
        self, text: str, show: Show, before: Inputs, after: Inputs, shaping: Shaping, gesture: int
    ) -> None:
        super().__init__(text)
        self._show, self._before, self._after = show, before, after
        self._shaping, self._gesture = shaping, gesture

    def redo(self) -> None:
        self._show(self._after, self._shaping, self._shaping.after)

    def undo(self) -> None:
        self._show(self._before, self._shaping, self._shaping.before)

    def id(self) -> int:
        return 2  # the desk's steps have another

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, PicturesChange) or other._gesture != self._gesture:
            return False
        self._after = other._after
        if other._shaping.wanted is not None:
            other._shaping.before = self._shaping.before
            self._shaping = other._shaping
        return True
