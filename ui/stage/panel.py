"""The stage: the picture with what belongs under it."""

import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import QFileDialog, QFrame, QStackedWidget, QVBoxLayout, QWidget
from shiboken6 import isValid

from ui.stage.playback import Playback
from ui.stage.player import Player
from ui.stage.settings_row import SettingsRow
from ui.stage.showing import Showing
from ui.stage.take_row import TakeRow
from ui.stage.timeline import Timeline
from ui.stage.track import NameOf
from ui.stage.transport import Transport
from ui.state.audition import Audition
from ui.state.inputs import InputState
from ui.state.run import RunState
from ui.state.take import Take

if TYPE_CHECKING:
    from ui.inputs.row import InputRow
    from ui.stage.compare import Compare

_FILTERS = {".mp4": "MP4 video (*.mp4)", ".webm": "WebM video (*.webm)", ".gif": "Animated GIF (*.gif)"}


class StagePanel(QFrame):
    """Arranges player, timeline, takes, transport and settings; the picture takes the space.

    `name_of` gives the name of the LoRA behind an adapter.
    """

    inputs: InputState
    input_row: "InputRow | None"
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
        self._column = column = QVBoxLayout(self)
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
        self._audition, self._came_from = audition, self.focusWidget()
        self._leave = QShortcut(Qt.Key.Key_Escape, self.views, audition.leave)
        audition.changed.connect(self._turn)
        self._run_state.state_changed.connect(self._free_escape)
        self._free_escape()

    @cached_property
    def compare(self) -> "Compare":
        """What shows an audition; made when first asked for, which the window's start need not wait for."""
        from ui.stage.compare import Compare

        compare = Compare(self._audition, self.playback)
        self.views.addWidget(compare)
        return compare

    def take_inputs(self, inputs: InputState) -> None:
        """Let pictures be given to the model; their row is there as soon as a model takes any."""
        self.inputs, self.input_row = inputs, None
        keys = QKeySequence(QKeySequence.StandardKey.Paste)
        QShortcut(keys, self, self.paste_picture, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self.go_on_action = QAction("Go &on from the last frame", self)
        self.go_on_action.triggered.connect(lambda _checked=False: self.go_on())
        self.paste_action = QAction("&Paste picture", self)
        self.paste_action.triggered.connect(lambda _checked=False: self.paste_picture())
        self.player.addActions([self.go_on_action, self.paste_action])
        self.player.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        inputs.changed.connect(self._show_inputs)
        self._run_state.takes.changed.connect(self._show_inputs)
        self._show_inputs()

    def _show_inputs(self) -> None:
        self.go_on_action.setEnabled(self.inputs.can_go_on(self._run_state.takes.current))
        self.paste_action.setEnabled(bool(self.inputs.places))
        if self.input_row is None and self.inputs.places:
            from ui.inputs.row import InputRow

            self.input_row = InputRow(self._run_state, self.inputs, self)
            self.input_row.listen_for_paste(self.settings_row.prompts.prompt)
            self._column.addWidget(self.input_row)

    def paste_picture(self) -> None:
        """Give the picture on the clipboard to the model, in the slot that has the focus if one has."""
        from ui.inputs import clipboard

        place = self.input_row.place_in_focus if self.input_row else None
        if not clipboard.paste(self.inputs, place):
            advice = "Copy an image, or a file of one, and paste again."
            self._run_state.message.emit("info", "There is no picture on the clipboard.", advice, "")

    def go_on(self) -> None:
        """Make the last frame of the take on the stage the start image of the next clip."""
        take = self._run_state.takes.current
        if take is not None:
            self.inputs.go_on(take)

    def _turn(self) -> None:
        """Show the picture or the comparison; the focus goes there and comes back."""
        is_on, was_on = self._audition.trial is not None, self.views.currentWidget() is not self.player
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
