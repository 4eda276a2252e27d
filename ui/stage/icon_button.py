"""A small button that is only an icon."""

from PySide6.QtCore import QEvent, QSize
from PySide6.QtWidgets import QToolButton

from ui.theme import icon, theme, watcher


class IconButton(QToolButton):
    """An icon in the theme's colour; its name is said to those who listen, its tool tip shown to all."""

    def __init__(self, picture: str, name: str, tip: str) -> None:
        super().__init__()
        self._picture = picture
        self.setProperty("quiet", True)
        self.setIconSize(QSize(16, 16))
        self.setAccessibleName(name)
        self.setToolTip(tip)
        self._tint()
        watcher().changed.connect(self._tint)

    def set_picture(self, picture: str) -> None:
        """Show another icon."""
        self._picture = picture
        self._tint()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.EnabledChange:
            self._tint()

    def _tint(self) -> None:
        colour = theme().text if self.isEnabled() else theme().faint
        self.setIcon(icon(self._picture, colour))
