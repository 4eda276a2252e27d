"""What can be done with the picture in a slot."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu

from catalog.inputs import Fit
from ui.inputs import clipboard
from ui.stage.reveal import reveal
from ui.state.inputs import InputState

if TYPE_CHECKING:
    from ui.inputs.slot import Slot

_FITS: tuple[tuple[Fit, str], ...] = (
    ("crop", "C&rop: fill the clip, cut off the edges"),
    ("pad", "&Pad: show all of it, add empty edges"),
)


def slot_menu(slot: Slot, inputs: InputState) -> QMenu:
    """The menu of a slot as it is now; it goes when it is closed."""
    menu, place = QMenu(slot), slot.place
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    picture = inputs.picture(place)
    menu.addAction("R&eplace…" if picture else "&Choose…", slot.choose)
    menu.addAction("Pa&ste picture\tCtrl+V", partial(clipboard.paste, inputs, place)).setEnabled(
        clipboard.holds_picture()
    )
    if picture is None:
        return menu
    menu.addSeparator()
    group = QActionGroup(menu)
    for fit, text in _FITS:
        action = menu.addAction(text, partial(inputs.set_fit, place, fit))
        action.setCheckable(True)
        action.setChecked(picture.fit == fit)
        action.setActionGroup(group)
    menu.addSeparator()
    menu.addAction("Show in &folder", partial(reveal, Path(picture.file)))
    menu.addAction("Re&move\tDel", slot.clear)
    return menu
