"""What is known about the take on the stage, and what can be done with it."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from ui.elided_label import ElidedLabel
from ui.stage.file_button import FileButton
from ui.stage.showing import Showing
from ui.stage.take_switch import TakeSwitch
from ui.stage.timeline import Timeline
from ui.state.run import RunState
from ui.state.take import Take
from ui.theme import font

HEIGHT = 28


class TakeRow(QWidget):
    """One row under the timeline: the takes at the left, what fits the moment at the right."""

    export_requested = Signal()
    branch_requested = Signal()
    continue_requested = Signal(object)
    keep_requested = Signal(object)
    recall_requested = Signal(object)

    def __init__(self, run_state: RunState, showing: Showing, timeline: Timeline) -> None:
        super().__init__()
        self._run_state, self._showing, self._timeline = run_state, showing, timeline
        self._track = timeline.track
        self._takes = run_state.takes
        self.switch = TakeSwitch(run_state)
        self.words = ElidedLabel()
        self.file = FileButton()
        self.clip = QPushButton("Clip")
        self.branch = QPushButton("Branch")
        self.resume = QPushButton("Continue")
        self.keep = QPushButton("Keep")
        self.export = QPushButton("Export")
        self._dress()
        self._arrange()
        self._connect()
        self._refresh()

    def _dress(self) -> None:
        save = QKeySequence(QKeySequence.StandardKey.Save).toString(QKeySequence.SequenceFormat.NativeText)
        for button, name, tip in (
            (self.clip, "Show the finished clip", "Show the finished clip again (End on the timeline)"),
            (self.branch, "Branch from here", "Render on from this step with the faders as they are now (B)"),
            (self.resume, "Continue", "Go on where it stopped, with the faders as they are now"),
            (self.keep, "Keep", "Save this draft as it is (Ctrl+K)"),
            (self.export, "Export", f"Save the finished clip as mp4, webm or gif ({save})"),
        ):
            button.setAccessibleName(name)
            button.setToolTip(tip)
        self.words.setFont(font(12, is_tabular=True))
        self.words.setProperty("tone", "secondary")
        self.words.setAccessibleName("About the take")

    def _arrange(self) -> None:
        self.setFixedHeight(HEIGHT)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.switch)
        row.addWidget(self.words, 1)
        row.addWidget(self.file)
        row.addStretch()
        for button in (self.branch, self.resume, self.clip, self.keep, self.export):
            row.addWidget(button)

    def _connect(self) -> None:
        self.clip.clicked.connect(self._showing.rest)
        self.branch.clicked.connect(self.branch_requested)
        self.export.clicked.connect(self.export_requested)
        self.switch.recall_requested.connect(self.recall)
        self.resume.clicked.connect(self.resume_take)
        self.keep.clicked.connect(self.keep_draft)
        self._showing.changed.connect(self._refresh)
        self._takes.changed.connect(self._refresh)

    def resume_take(self) -> None:
        """Ask to continue the take on the stage, if it stopped."""
        if self.can_continue and self._takes.current is not None:
            self.continue_requested.emit(self._takes.current.unfinished)

    def recall(self) -> None:
        """Ask to bring the faders and settings of the take on the stage back."""
        if self.can_recall:
            self.recall_requested.emit(self._takes.current)

    def keep_draft(self) -> None:
        """Ask to save the draft on the stage, if it is one."""
        if self.can_keep:
            self.keep_requested.emit(self._takes.current)

    @property
    def can_branch(self) -> bool:
        """Whether a step is pinned that a run can begin at."""
        return self._showing.pinned is not None

    @property
    def can_continue(self) -> bool:
        """Whether the take on the stage stopped and nothing else is being made."""
        take = self._takes.current
        return take is not None and take.unfinished is not None and not self._takes.is_running

    @property
    def can_recall(self) -> bool:
        """Whether it is known what the take on the stage was made with."""
        return self._takes.current is not None and self._takes.current.is_told

    @property
    def can_keep(self) -> bool:
        """Whether the take on the stage is a finished draft."""
        take = self._takes.current
        return take is not None and take.is_draft and take.frames is not None

    def _refresh(self) -> None:
        had_focus = self.isAncestorOf(self.window().focusWidget() or self)
        self._show_what_fits()
        if had_focus and not self.isAncestorOf(self.window().focusWidget() or self):
            self._timeline.setFocus()  # a button that went must not leave its key press to a neighbour

    def _show_what_fits(self) -> None:
        take, showing = self._takes.current, self._showing
        has_clip = take is not None and take.frames is not None
        is_pinned = showing.is_pinned
        self.setVisible(take is not None)
        self.branch.setVisible(is_pinned)
        self.branch.setEnabled(self.can_branch)
        if showing.pinned is not None:
            self.branch.setText(f"Branch from step {showing.pinned[1] + 1}")
        self.clip.setVisible(has_clip and is_pinned)
        self.resume.setVisible(self.can_continue and not is_pinned)
        self.keep.setVisible(self.can_keep and not is_pinned)
        self.export.setVisible(has_clip and not is_pinned)
        self.file.setVisible(take is not None and take.file is not None and showing.step is None)
        self.file.set_file(take.file if take else None)
        self.words.setVisible(not self.file.isVisibleTo(self))
        self.words.setText(self._said(take))
        self.words.setAccessibleName(self.words.text() or "About the take")

    def _said(self, take: Take | None) -> str:
        """The strengths of the step that one looks at, or what is worth knowing about the take."""
        step = self._showing.step
        if step is not None and not self._is_stop(step):
            return " · ".join(self._track.strengths(step)) or "no LoRA"
        if take is None or self._takes.is_running:
            return take.origin if take else ""
        if take.frames is None:
            return f"Stopped at step {len(take.steps)} of {take.count}"
        return "Not saved" if take.file is None else take.origin

    def _is_stop(self, step: int) -> bool:
        """Whether a step is on because its take went no further."""
        is_over = self._run_state.phase == "idle" and not self._showing.is_pinned
        return is_over and step + 1 == self._track.fresh
