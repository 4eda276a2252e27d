"""A button of the grid's window."""

from PySide6.QtWidgets import QPushButton


def new_button(text: str, tip: str) -> QPushButton:
    """A button that Enter presses only while it has the focus."""
    button = QPushButton(text)
    button.setAutoDefault(False)
    button.setToolTip(tip)
    button.setAccessibleName(text.removesuffix("…"))
    return button
