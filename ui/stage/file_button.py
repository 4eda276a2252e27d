"""The saved clip's file name, as a button that shows it in its folder."""

from pathlib import Path

from PySide6.QtCore import QSize
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy, QStyle, QStyleOptionButton, QStylePainter

from ui.eliding import elided
from ui.stage.reveal import reveal
from ui.theme import icon, theme

_PADDING, _LEAST_ROOM = 26, 60


class FileButton(QPushButton):
    """Elides the name in the middle; the tool tip holds all of it."""

    def __init__(self) -> None:
        super().__init__()
        self._file: Path | None = None
        self.setProperty("quiet", True)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.clicked.connect(self._reveal)
        self.set_file(None)

    def set_file(self, file: Path | None) -> None:
        """Name a file, or none."""
        self._file = file
        self.setText(file.name if file else "not saved")
        self.setEnabled(file is not None)
        self.setAccessibleName(f"Show {file.name} in its folder" if file else "No saved clip")
        self.setToolTip(f"Show in folder\n{file}" if file else "The clip has no file yet")

    def minimumSizeHint(self) -> QSize:
        return QSize(32, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        option = QStyleOptionButton()
        self.initStyleOption(option)
        room = self.width() - _PADDING
        option.text = elided(self.text(), self.font(), room)
        if room < _LEAST_ROOM:  # a few letters would say less than a picture
            option.text, option.icon = "", icon("folder", theme().text)
            option.iconSize = QSize(16, 16)
        painter = QStylePainter(self)
        painter.drawControl(QStyle.ControlElement.CE_PushButton, option)
        painter.end()

    def _reveal(self) -> None:
        if self._file is not None:
            reveal(self._file)
