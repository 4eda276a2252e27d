"""The button in the desk's header that opens its menu."""

from PySide6.QtWidgets import QToolButton, QWidget

from ui.theme import icon, theme, watcher


class DeskMenuButton(QToolButton):
    """Opens the menu of the desk."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("quiet", "true")
        self.setProperty("compact", "true")
        self.setFixedSize(28, 24)
        self.setAccessibleName("What can be done with the curves of all strips")
        self.setToolTip("Curves of all strips: paste or copy them as Wan2GP multipliers, show or hide them")
        watcher().changed.connect(self._wear)
        self._wear()

    def _wear(self) -> None:
        self.setIcon(icon("more", theme().secondary))
