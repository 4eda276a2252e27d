"""A button of a dialog that Enter does not press unless it is the default one."""

from PySide6.QtWidgets import QPushButton


def plain_button(text: str, tip: str) -> QPushButton:
    """A button with its tool tip; those who listen hear its text."""
    button = QPushButton(text)
    button.setAutoDefault(False)
    button.setToolTip(tip)
    button.setAccessibleName(text.removesuffix("…"))
    return button
