"""A horizontal slider as the stage wants it."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSlider, QWidget


class Slider(QSlider):
    """Shows focus at its handle alone, not in a frame around the whole groove."""

    def __init__(self, name: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setStyleSheet("QSlider { border: 0; }")
        self.setAccessibleName(name)
        self.setToolTip(tip)
