"""The foot of the dialog: how far the download is, and the buttons that begin, end or open it."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from ui.plain_button import plain_button
from ui.shelf.order import Order
from ui.shelf.state import ShelfState
from ui.shelf.words import progress_words
from ui.theme import font

_STEPS = 1000
KEPT = "Stopped. What has come is kept; Resume goes on there."


class DownloadRow(QWidget):
    """Follows the state; `show_order` says what the buttons are about. Says by `open_wanted` to open it."""

    open_wanted = Signal(object)
    """Order"""
    close_wanted = Signal()

    def __init__(self, state: ShelfState) -> None:
        super().__init__()
        self._state = state
        self._order: Order | None = None
        self.bar, self.status = QProgressBar(), QLabel()
        self.main = plain_button("Download", "")
        self.main.setProperty("primary", True)
        self.cancel = plain_button("Cancel", "End the download; what has come is kept")
        self.close_button = plain_button("Close", "Close this dialog; a download goes on (Esc)")
        self._arrange()
        self.main.clicked.connect(self._do)
        self.cancel.clicked.connect(state.cancel)
        self.close_button.clicked.connect(self.close_wanted)
        state.progressed.connect(self._show_progress)
        state.changed.connect(self._refresh)
        self._refresh()

    def show_order(self, order: Order | None) -> None:
        """What the buttons are about from now on."""
        self._order = order
        self._refresh()

    def _arrange(self) -> None:
        self.bar.setRange(0, _STEPS)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName("Progress of the download")
        self.status.setTextFormat(Qt.TextFormat.PlainText)
        self.status.setWordWrap(True)
        self.status.setFont(font(12, is_tabular=True))
        self.status.setMinimumHeight(34)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.status, 1)
        for button in (self.close_button, self.cancel, self.main):
            row.addWidget(button)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(8)
        box.addWidget(self.bar)
        box.addLayout(row)

    def _refresh(self) -> None:
        state, order = self._state, self._order
        size = self.bar.sizePolicy()
        size.setRetainSizeWhenHidden(True)
        self.bar.setSizePolicy(size)
        self.bar.setVisible(state.is_busy)
        had_focus = self.cancel.hasFocus()
        self.cancel.setVisible(state.is_busy)
        self.cancel.setEnabled(state.phase == "running")
        words, tip = _offer(order)
        if state.is_busy:
            tip = f"One download at a time: {state.order.title if state.order else ''} is under way."
        self.main.setText(words)
        self.main.setAccessibleName(words)
        self.main.setToolTip(tip)
        self.main.setEnabled(order is not None and (not state.is_busy or words == "Open"))
        if had_focus and not state.is_busy:
            self.main.setFocus()
        self._show_progress()

    def _show_progress(self) -> None:
        state = self._state
        tone, words = "secondary", ""
        if state.phase == "running":
            title = state.order.title if state.order else ""
            words = f"{title}\n{progress_words(state.progress) if state.progress else 'Connecting…'}"
        elif state.phase == "stopping":
            words = "Stopping…"
        elif state.phase == "stopped":
            words = KEPT
        elif state.phase == "failed":
            tone, words = "refused", f"{state.fault} {state.advice}"
        if progress := state.progress:
            self.bar.setValue(_STEPS * progress.done // max(1, progress.total))
        else:
            self.bar.setValue(0)
        self.status.setText(words)
        if self.status.property("tone") != tone:
            self.status.setProperty("tone", tone)
            self.status.style().polish(self.status)

    def _do(self) -> None:
        if self._order is None:
            return
        if self._order.is_here:
            self.open_wanted.emit(self._order)
        else:
            self._state.start(self._order)
            self.cancel.setFocus()


def _offer(order: Order | None) -> tuple[str, str]:
    """What the button does, and its tool tip."""
    if order is None:
        return "Download", "Choose a way first"
    if order.is_here:
        return "Open", "All files are here: open the model (Enter)"
    if order.received:
        return "Resume", "Download what is still missing (Enter)"
    return "Download", "Download all files (Enter)"
