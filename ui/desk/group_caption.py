"""The line over the first strip of an accelerator: its title, and the way back."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from ui.elided_label import ElidedLabel
from ui.theme import font


class GroupCaption(QWidget):
    """Names the group; `back` takes it off the desk."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = ElidedLabel(mode=Qt.TextElideMode.ElideRight)
        self._title.setFont(font(11, is_bold=True))
        self._title.setProperty("tone", "accent")
        self.back = QPushButton("Take back")
        self.back.setProperty("quiet", "true")
        self.back.setFont(font(11))
        self.back.setStyleSheet("QPushButton { padding: 0 6px; min-height: 18px; }")
        self.back.setAccessibleName("Take the accelerator back")
        self.back.setToolTip("Take the accelerator's LoRAs off the desk and bring the settings back")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 2)
        row.addWidget(self._title, 1)
        row.addWidget(self.back)

    def show_group(self, group: str, is_first: bool) -> None:
        """Show the caption over the first strip of a group, nothing elsewhere."""
        self.setVisible(bool(group) and is_first)
        if group and is_first:
            from catalog.accelerators import accelerator

            profile = accelerator(group)
            title = profile.title if profile else group
            self._title.setText(title)
            self._title.setAccessibleName(f"Accelerator {title}")
            self.back.setAccessibleName(f"Take back {title}")
