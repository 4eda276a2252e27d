"""How large a window of our own opens, on a screen that may be small."""

from PySide6.QtWidgets import QWidget

_MARGIN = 48
"""Pixels that the screen keeps, so that one sees what the window lies on."""


def fit(window: QWidget, width: int, height: int) -> None:
    """Give a window this size, or as much of it as its screen has room for."""
    room = window.screen().availableSize()
    window.resize(min(width, room.width() - _MARGIN), min(height, room.height() - _MARGIN))
