"""The button in the desk's header that opens the accelerator profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from ui.theme import font, icon, theme, watcher

if TYPE_CHECKING:
    from ui.state.accelerator import AcceleratorState
    from ui.state.run import RunState


class AccelerateButton(QToolButton):
    """Says which accelerator is in use; a click opens the profiles for the model."""

    def __init__(self, state: AcceleratorState, run: RunState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state, self._run = state, run
        self.setText("Accelerate")
        self.setFont(font(12))
        self.setStyleSheet("QToolButton { padding: 0 6px; min-height: 18px; }")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the arrow behind the words
        self.setFixedHeight(24)
        self.clicked.connect(self._open)
        state.choice_wanted.connect(self._choose)
        state.changed.connect(self._refresh)
        watcher().changed.connect(self._refresh)
        self._refresh()

    def menu_now(self) -> QMenu:
        """The menu as it is now."""
        from ui.accelerate.menu import accelerate_menu

        return accelerate_menu(self, self._state, self._run.model)

    def _open(self) -> None:
        self.menu_now().popup(self.mapToGlobal(self.rect().bottomLeft()))

    def _choose(self, profile: object, found: object) -> None:
        from ui.accelerate.choice import FileChoice

        FileChoice(profile, found, self._state, self.window()).open()  # type: ignore[arg-type]

    def _refresh(self) -> None:
        title = _title(self._state.active)
        self.setIcon(icon("arrow-down", theme().accent if title else theme().secondary))
        self.setAccessibleName(f"Accelerator: {title or 'none'}")
        self.setToolTip(
            f"Accelerator: {title}"
            if title
            else "Few steps with a distilled LoRA: settings and files in one click"
        )


def _title(id: str) -> str:
    if not id:
        return ""
    from catalog.accelerators import accelerator

    profile = accelerator(id)
    return profile.title if profile else id
