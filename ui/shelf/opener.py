"""Opens the dialog that gets models, and says what becomes of a download while it is closed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from ui.message_bar import Action, MessageBar

if TYPE_CHECKING:
    from ui.models.opener import NewModelOpener
    from ui.settings import Settings
    from ui.shelf.bridge import ShelfBridge
    from ui.shelf.dialog import ShelfDialog
    from ui.shelf.order import Order
    from ui.shelf.state import ShelfState
    from ui.state.run import RunState


class ShelfOpener(QObject):
    """One dialog, made when somebody asks for it; closing it leaves the download going."""

    percent_changed = Signal(object)
    """int | None: how much of the download has come; None when there is none."""

    def __init__(
        self,
        run: RunState,
        new_model: NewModelOpener,
        bar: MessageBar,
        settings: Settings,
        parent: QWidget,
        bridge: ShelfBridge | None = None,
    ) -> None:
        super().__init__(parent)
        self._run, self._new_model, self._bar = run, new_model, bar
        self._settings, self._owner = settings, parent
        self._bridge = bridge
        self._percent: int | None = None
        self.state: ShelfState | None = None
        self.dialog: ShelfDialog | None = None

    def open(self) -> None:
        """Show the dialog, in front of what covers it."""
        dialog = self.dialog or self._make()
        dialog.show()
        dialog.activateWindow()

    def stop(self) -> None:
        """End what is under way; what has come of a download is kept."""
        if self._bridge is not None:
            self._bridge.stop()

    def _make(self) -> ShelfDialog:
        from ui.shelf.bridge import ShelfBridge  # not before somebody asks: the window starts sooner
        from ui.shelf.dialog import ShelfDialog
        from ui.shelf.state import ShelfState

        self._bridge = self._bridge or ShelfBridge(self)
        self.state = state = ShelfState(self._bridge, self)
        self.dialog = ShelfDialog(state, self._settings.models, self._owner)
        self.dialog.open_wanted.connect(self._open)
        self.dialog.folder_chosen.connect(self._keep_folder)
        self.dialog.finished.connect(self._say_going_on)
        state.progressed.connect(self._follow)
        state.changed.connect(self._follow)
        state.finished.connect(self._on_finished)
        state.failed.connect(self._on_failed)
        return self.dialog

    def _follow(self) -> None:
        percent = self.state.percent if self.state else None
        if percent != self._percent:
            self._percent = percent
            self.percent_changed.emit(percent)

    def _say_going_on(self) -> None:
        if self.state and self.state.is_busy and self.state.order:
            words = f"{self.state.order.title} is being downloaded; this goes on in the background."
            show = Action("Show", "Open the dialog again", self.open)
            self._bar.say("info", words, "Quitting stops it; it can be resumed.", "", (show,))

    def _on_finished(self, order: Order) -> None:
        self._withdraw(order)
        if self.dialog and self.dialog.isVisible():
            self._open(order)
            return
        do = Action("Open", "Open the model that was downloaded", lambda: self._open(order))
        self._bar.say("info", f"{order.title} is here.", "", "", (do,))

    def _on_failed(self, order: Order, sentence: str, advice: str) -> None:
        self._withdraw(order)
        if self.dialog and not self.dialog.isVisible():
            show = Action("Show", "Open the dialog again", self.open)
            self._bar.say("refused", sentence, advice, "", (show,))

    def _withdraw(self, order: Order) -> None:
        self._bar.withdraw(f"{order.title} is being downloaded; this goes on in the background.")

    def _open(self, order: Order) -> None:
        if self.dialog:
            self.dialog.close()
        if order.way.kind == "folder":
            self._run.open_model(str(order.parts[0]))
        else:
            self._new_model.open(order.parts)

    def _keep_folder(self, folder: Path) -> None:
        self._settings.models = folder
        self._settings.save()
