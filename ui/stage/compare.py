"""The stage while a strip is auditioned: both clips in sync, and the verdict in words and numbers."""

from functools import partial

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from engine.messages import Frames
from ui.elided_label import ElidedLabel
from ui.restyle import restyle
from ui.stage.compare_picture import AMPLIFIED, ComparePicture, View
from ui.stage.icon_button import IconButton
from ui.stage.playback import Playback
from ui.state.audition import Audition
from ui.state.trial import Trial
from ui.theme import font
from ui.verdict_words import TONES

VIEWS: tuple[tuple[View, str, str], ...] = (
    ("wipe", "Wipe", "One clip left of the divider, the other right of it (1); drag it, or press ← →"),
    ("side by side", "Side by side", "Both clips at the same moment (2)"),
    ("difference", "Difference", f"What differs, {AMPLIFIED} times as strong (3)"),
)
TIP = (
    "Space: play or pause\n, .: one frame back or on\n1 2 3: wipe, side by side, difference\n"
    "← →: move the divider, with Shift faster\nEsc: back to the clip"
)
_KEYS = (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3)
_STEP, _STRIDE = 0.02, 0.1


class Compare(QWidget):
    """Shows the trial of an `Audition`, at the moment where the stage's playback is."""

    def __init__(self, audition: Audition, playback: Playback) -> None:
        super().__init__()
        self._audition, self._playback = audition, playback
        self._shown: Frames | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Comparison")
        self.setToolTip(TIP)
        self.picture = ComparePicture(playback)
        self.header = QWidget()
        self.word = QLabel()
        self.sentence = ElidedLabel(mode=Qt.TextElideMode.ElideRight)
        self.close_button = IconButton("close", "Leave the comparison", "Back to the clip (Esc)")
        self.buttons: dict[View, QPushButton] = {}
        self._build()
        self._arrange()
        audition.changed.connect(self.refresh)

    def _build(self) -> None:
        group = QButtonGroup(self)
        for view, words, tip in VIEWS:
            button = self.buttons[view] = QPushButton(words)
            button.setCheckable(True)
            button.setProperty("chip", "true")
            button.setToolTip(tip)
            button.setAccessibleName(words)
            button.clicked.connect(partial(self.choose, view))
            group.addButton(button)
        self.buttons["wipe"].setChecked(True)
        self.word.setFont(font(13, is_bold=True))
        self.sentence.setFont(font(12, is_tabular=True))
        self.sentence.setProperty("tone", "secondary")
        self.close_button.clicked.connect(self._audition.leave)

    def _arrange(self) -> None:
        row, views = QHBoxLayout(self.header), QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.word)
        row.addWidget(self.sentence, 1)
        row.addWidget(self.close_button)
        views.setSpacing(6)
        for button in self.buttons.values():
            views.addWidget(button)
        views.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.header)
        column.addLayout(views)
        column.addWidget(self.picture, 1)

    def choose(self, view: View) -> None:
        """Compare in another way."""
        self.buttons[view].setChecked(True)
        self.picture.set_view(view)

    def refresh(self) -> None:
        """Show the trial as far as it has come; nothing when there is none."""
        trial = self._audition.trial
        if trial is None:
            self._shown = None
            self.picture.show_clips((), ("", ""))  # lets the clips go
            return
        sides = [trial.clips[side].frames for side in ("with", "without") if side in trial.clips]
        names = (f"with {trial.strip.name}", f"without {trial.strip.name}")
        self.picture.show_clips(tuple(sides), names)
        if sides and sides[0] is not self._shown:
            self._shown = sides[0]
            self._playback.show(sides[0], trial.fps)
        for button in self.buttons.values():
            button.setEnabled(len(sides) == 2)
        self._say(trial)

    def _say(self, trial: Trial) -> None:
        verdict = trial.verdict
        name, word = trial.strip.name, verdict.word if verdict else "audition"
        self.word.setText(word[0].upper() + word[1:])
        self.sentence.setText(verdict.sentence if verdict else trial.words)
        self.header.setToolTip(verdict.explanation if verdict else "")
        self.setAccessibleDescription(f"{name}: {word}. {self.sentence.text()}")
        restyle(self.word, "tone", TONES[verdict.word] if verdict else "secondary")

    # Keys

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.picture.has_focus = event.reason() != Qt.FocusReason.MouseFocusReason
        self.picture.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.picture.has_focus = False
        self.picture.update()

    def event(self, event: QEvent) -> bool:
        """Take Esc before the window's shortcut does: here it leaves, and stops no clip."""
        is_ours = isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape
        if event.type() == QEvent.Type.ShortcutOverride and is_ours:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        far = _STRIDE if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else _STEP
        if key == Qt.Key.Key_Escape:
            self._audition.leave()
        elif key in _KEYS:
            self.choose(VIEWS[_KEYS.index(key)][0])
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.picture.move_divider(self.picture.divider + (far if key == Qt.Key.Key_Right else -far))
        elif key == Qt.Key.Key_Space:
            self._playback.toggle()
        elif key in (Qt.Key.Key_Comma, Qt.Key.Key_Period):
            self._playback.step(1 if key == Qt.Key.Key_Period else -1)
        else:
            super().keyPressEvent(event)
