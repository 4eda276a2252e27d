"""The stage: the picture with what belongs under it."""

import re
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShortcut
from PySide6.QtWidgets import QFileDialog, QFrame, QStackedWidget, QVBoxLayout, QWidget
from shiboken6 import isValid

from ui.stage.compare import Compare
from ui.stage.playback import Playback
from ui.stage.player import Player
from ui.stage.settings_row import SettingsRow
from ui.stage.showing import Showing
from ui.stage.take_row import TakeRow
from ui.stage.timeline import Timeline
from ui.stage.track import NameOf
from ui.stage.transport import Transport
from ui.state.audition import Audition
from ui.state.run import RunState
from ui.state.take import Take

_FILTERS = {".mp4": "MP4 video (*.mp4)", ".webm": "WebM video (*.webm)", ".gif": "Animated GIF (*.gif)"}


class StagePanel(QFrame):
    """Arranges player, timeline, takes, transport and settings; the picture takes the space.

    `name_of` gives the name of the LoRA behind an adapter.
    """

    looked = Signal()
    """What the picture shows, and with it what can be done, has changed."""

    def __init__(self, run_state: RunState, name_of: NameOf, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._run_state = run_state
        self._folder = Path.home()
        self.setProperty("ground", "background")
        self.playback = Playback(self)
        self.showing = Showing(run_state, self.playback, self)
        self.player = Player(run_state, self.showing, self.playback)
        self.timeline = Timeline(run_state, self.showing, name_of)
        self.take_row = TakeRow(run_state, self.showing, self.timeline)
        self.transport = Transport(self.playback)
        self.settings_row = SettingsRow(run_state)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(8)
        self.views = QStackedWidget()
        self.views.addWidget(self.player)
        column.addWidget(self.views, 1)
        column.addWidget(self.timeline)
        column.addWidget(self.take_row)
        column.addWidget(self.transport)
        column.addWidget(self.settings_row)
        self.take_row.export_requested.connect(self.export_clip)
        self.take_row.branch_requested.connect(self.branch)
        self.timeline.branch_requested.connect(self.branch)
        self.showing.changed.connect(self.looked)

    def branch(self) -> None:
        """Render on from the pinned step, with the faders as they are now."""
        if self.showing.pinned is not None:
            self._run_state.branch(*self.showing.pinned)

    def compare_with(self, audition: Audition) -> None:
        """Let the comparison of an audition take the picture's place for as long as there is one."""
        self.compare = Compare(audition, self.playback)
        self.views.addWidget(self.compare)
        self._audition, self._came_from = audition, self.focusWidget()
        self._leave = QShortcut(Qt.Key.Key_Escape, self.views, audition.leave)
        audition.changed.connect(self._turn)
        self._run_state.state_changed.connect(self._free_escape)
        self._free_escape()

    def _turn(self) -> None:
        """Show the picture or the comparison; the focus goes there and comes back."""
        is_on, was_on = self._audition.trial is not None, self.views.currentWidget() is self.compare
        self._free_escape()
        if is_on and not was_on:
            self._came_from = self.window().focusWidget()
            self.views.setCurrentWidget(self.compare)
            self.compare.setFocus()
        elif was_on and not is_on:
            had_focus = self.isAncestorOf(self.window().focusWidget() or self)
            self.views.setCurrentWidget(self.player)
            self.showing.again()
            if had_focus and self._came_from is not None and isValid(self._came_from):
                self._came_from.setFocus()

    def _free_escape(self) -> None:
        """Esc leaves the comparison from anywhere, but a clip under way has the older right to it."""
        self._leave.setEnabled(self._audition.trial is not None and self._run_state.phase == "idle")

    def export_clip(self) -> None:
        """Ask for a file name and write the clip on the stage there."""
        take = self._run_state.takes.current
        if take is None or take.frames is None:
            self._run_state.message.emit("info", "There is no finished clip to export yet.", "", "")
            return
        suggested = str(self._folder / suggested_name(take))
        said, chosen = QFileDialog.getSaveFileName(
            self, "Export the clip", suggested, ";;".join(_FILTERS.values())
        )
        if said:
            self._export(take, Path(said), chosen)

    def _export(self, take: Take, file: Path, chosen: str) -> None:
        """Write to the file; one without a known ending gets that of the chosen filter, if it is free."""
        if file.suffix.lower() not in _FILTERS:
            ending = next((end for end, words in _FILTERS.items() if words == chosen), ".mp4")
            file = file.with_name(file.name + ending)
            if file.exists():  # the dialog asked about another name
                advice = "Export again and type the whole name to replace it."
                self._run_state.message.emit("refused", f"{file.name} is already there.", advice, "")
                return
        self._folder = file.parent
        self._run_state.export(file, take)


def suggested_name(take: Take) -> str:
    """A file name from the clip's own, or from its prompt and seed."""
    if take.file is not None:
        return f"{take.file.stem}.mp4"
    words = re.sub(r"[^\w]+", "-", take.recipe.prompt.lower()).strip("-")[:48].strip("-")
    return f"{words or 'clip'}-{take.recipe.seed}.mp4"
