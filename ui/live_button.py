"""The toggle that lets a change on the desk render by itself."""

from PySide6.QtWidgets import QPushButton

from ui.state.live import Live
from ui.theme import icon, theme, watcher


class LiveButton(QPushButton):
    """A lamp with a word: lit while Live is on."""

    def __init__(self, live: Live) -> None:
        super().__init__("Live")
        self._live = live
        self.setCheckable(True)
        self.clicked.connect(live.set_on)
        live.changed.connect(self._refresh)
        watcher().changed.connect(self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        is_on = self._live.is_on
        self.setChecked(is_on)
        colours = theme()
        name, colour = ("live-on", colours.refused) if is_on else ("live-off", colours.secondary)
        self.setIcon(icon(name, colour))
        self.setAccessibleName("Live")
        state = "on" if is_on else "off"
        self.setToolTip(f"Live is {state}: move a fader and the clip is rendered again by itself (Ctrl+L)")
