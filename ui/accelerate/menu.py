"""The menu of accelerator profiles for the model on the stage."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget

if TYPE_CHECKING:
    from catalog.accelerators import Accelerator
    from catalog.models import ModelInfo
    from ui.state.accelerator import AcceleratorState


def accelerate_menu(parent: QWidget, state: AcceleratorState, model: ModelInfo) -> QMenu:
    """The profiles, each with what it lacks, and the way back; it goes when it is closed."""
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.setToolTipsVisible(True)
    for profile in state.profiles:
        action = menu.addAction(f"{profile.title}{_lack(state, profile)}", partial(state.begin, profile))
        action.setCheckable(True)
        action.setChecked(profile.id == state.active)
        action.setToolTip(_tip(profile))
    if menu.isEmpty():
        menu.addAction(f"No accelerator is known for {model.title}").setEnabled(False)
    menu.addSeparator()
    menu.addAction("Take it back", state.take_back).setEnabled(bool(state.active))
    return menu


def _lack(state: AcceleratorState, profile: Accelerator) -> str:
    missing = sum(not found for found in state.candidates(profile))
    return {0: "", 1: "   (1 file missing)"}.get(missing, f"   ({missing} files missing)")


def _tip(profile: Accelerator) -> str:
    files = "\n".join(part.file for part in profile.loras)
    return f"Sets steps, guidance, scheduler and boundary, and puts on the desk:\n{files}\n\nFrom: {profile.source}"
