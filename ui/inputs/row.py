"""The row of slots below the settings, for models that take pictures."""

from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QPoint, QRect
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QWidget

from ui.drop_overlay import Landing
from ui.inputs import clipboard, words
from ui.inputs.scale_pill import ScalePill
from ui.inputs.slot import Slot, neighbours
from ui.stage.flow import FlowLayout
from ui.state.input_places import Place
from ui.state.inputs import InputState
from ui.state.run import RunState


class InputRow(QWidget):
    """Shows a slot for every place that the model has; it is not there for models that take text alone."""

    def __init__(self, run: RunState, inputs: InputState, parent: QWidget) -> None:
        super().__init__(parent)
        self._inputs = inputs
        self.scale = ScalePill(run, self)
        self.slots: list[Slot] = []
        self._flow = FlowLayout(self, spacing=6)
        inputs.changed.connect(self._refresh)
        self._refresh()

    @property
    def place_in_focus(self) -> Place | None:
        """The place whose slot has the focus."""
        return next((slot.place for slot in self.slots if slot.hasFocus()), None)

    def place_at(self, point: QPoint) -> Place | None:
        """The place whose slot is at a point of this row."""
        there = (slot.place for slot in self.slots if slot.geometry().contains(point))
        return next(there, None) if self.isVisible() else None

    # What one does

    def take_dropped(self, files: tuple[Path, ...], place: QPoint) -> bool:
        """Put files where they were dropped in this row; False where that is beside every slot."""
        found = self.place_at(place)
        if found is not None:
            self._inputs.put_all(files, found)
        return found is not None

    def landings(self, file: Path) -> list[Landing]:
        """The slots that a file can be dropped on."""
        if not self.isVisible():
            return []
        return [
            Landing(
                QRect(slot.mapTo(self.window(), QPoint()), slot.size()),
                "" if slot.is_small else slot.place.title,
                words.drop_words(slot.place, file),
            )
            for slot in self.slots
            if slot.place.fits(file)
        ]

    def listen_for_paste(self, text: QWidget) -> None:
        """Take pictures that are pasted while somebody writes, too."""
        text.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            is_paste = event.matches(QKeySequence.StandardKey.Paste)
            if is_paste and clipboard.holds_picture() and not clipboard.holds_words():
                return clipboard.paste(self._inputs)
        return super().eventFilter(watched, event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.WindowActivate:
            self._inputs.look_again()
        return super().event(event)

    # Following

    def _refresh(self) -> None:
        wanted = self._inputs.places
        if wanted != tuple(slot.place for slot in self.slots):
            self._lay_out(wanted)
        self.setVisible(bool(wanted))

    def _lay_out(self, places: tuple[Place, ...]) -> None:
        """Keep the slots that stay, with the focus; others come and go."""
        kept = {slot.place: slot for slot in self.slots}
        for slot in self.slots:
            self._flow.removeWidget(slot)
            if slot.place not in places:
                slot.hide()
                slot.deleteLater()
        self.slots = [kept.get(place) or Slot(self._inputs, place, self) for place in places]
        for slot in self.slots:
            self._flow.addWidget(slot)
            slot.show()
        self._flow.removeWidget(self.scale)
        self._flow.addWidget(self.scale)
        neighbours(self.slots)
        self._flow.invalidate()
