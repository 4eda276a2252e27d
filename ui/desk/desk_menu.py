"""What can be done with the curves of the whole desk: Wan2GP's text for them, and all lanes at once."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget

from ui.desk import lane_clipboard
from ui.desk.strip import StripView
from ui.state.automation import Automation


def desk_menu(parent: QWidget, views: Sequence[StripView], automation: Automation) -> QMenu:
    """The menu of a desk with these strips; it goes when it is closed."""
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    text = lane_clipboard.text_on_it()
    paste = menu.addAction("Paste Wan2GP multipliers", lambda: automation.paste_multipliers(text))
    paste.setEnabled(bool(text and views))
    copy = menu.addAction(
        "Copy as Wan2GP multipliers", lambda: lane_clipboard.put_text(automation.multipliers())
    )
    copy.setEnabled(bool(views))
    menu.addSeparator()
    menu.addAction("Show all curves", lambda: _unfold(views, True)).setEnabled(bool(views))
    menu.addAction("Hide all curves", lambda: _unfold(views, False)).setEnabled(bool(views))
    return menu


def _unfold(views: Sequence[StripView], is_open: bool) -> None:
    for view in views:
        view.unfold(is_open)
