"""The transport: plays and scrubs what is on the stage."""

from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QWidget

from ui.stage.icon_button import IconButton
from ui.stage.playback import SPEEDS, Playback
from ui.stage.slider import Slider
from ui.theme import font


class Transport(QWidget):
    """One row of controls under the timeline."""

    def __init__(self, playback: Playback) -> None:
        super().__init__()
        self._playback = playback
        self._back = IconButton("step-back", "One frame back", "One frame back (← on the picture)")
        self.play = IconButton("pause", "Pause", "Pause (Space on the picture)")
        self._on = IconButton("step-forward", "One frame on", "One frame on (→ on the picture)")
        self.slider = _slider()
        self.counter = QLabel()
        self._loop = IconButton("loop", "Loop", "Begin again at the end")
        self._speed = _speed_button()
        self._dress()
        self._arrange()
        self._connect()
        self._on_frames_changed()
        self._on_state_changed()

    def _dress(self) -> None:
        self._loop.setCheckable(True)
        self.counter.setFont(font(12, is_tabular=True))
        self.counter.setProperty("tone", "secondary")
        self.counter.setAccessibleName("Frame")
        self.counter.setToolTip("The frame on show, of how many, and its time")
        self._speed.setMenu(self._speed_menu())

    def _arrange(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for button in (self._back, self.play, self._on):
            row.addWidget(button)
        row.addSpacing(4)
        row.addWidget(self.slider, 1)
        row.addSpacing(4)
        row.addWidget(self.counter)
        row.addWidget(self._loop)
        row.addWidget(self._speed)

    def _connect(self) -> None:
        playback = self._playback
        self._back.clicked.connect(self._step_back)
        self._on.clicked.connect(self._step_on)
        self.play.clicked.connect(playback.toggle)
        self.slider.valueChanged.connect(playback.seek)
        self._loop.toggled.connect(playback.set_looping)
        playback.frames_changed.connect(self._on_frames_changed)
        playback.frame_changed.connect(self._on_frame_changed)
        playback.state_changed.connect(self._on_state_changed)

    def _speed_menu(self) -> QMenu:
        menu, group = QMenu(self), QActionGroup(self)
        for speed in SPEEDS:
            action = QAction(f"{speed:g}×", group, checkable=True, checked=speed == 1)
            action.setData(speed)
            menu.addAction(action)
        group.triggered.connect(self._on_speed_chosen)
        self._speeds = group
        return menu

    def _step_back(self) -> None:
        self._playback.step(-1)

    def _step_on(self) -> None:
        self._playback.step(1)

    def _on_speed_chosen(self, action: QAction) -> None:
        self._playback.set_speed(action.data())

    def _on_frames_changed(self) -> None:
        count = self._playback.count
        self.slider.blockSignals(True)
        self.slider.setRange(0, max(count - 1, 0))
        self.slider.blockSignals(False)
        for control in (self.slider, self._back, self.play, self._on):
            control.setEnabled(count > 1)
        self._on_frame_changed(self._playback.frame)

    def _on_frame_changed(self, frame: int) -> None:
        self.slider.blockSignals(True)  # following the clock is not scrubbing
        self.slider.setValue(frame)
        self.slider.blockSignals(False)
        count = self._playback.count
        width = len(str(count))
        self.counter.setText(
            f"{frame + 1:>{width}} / {count} · {self._playback.seconds:.2f} s" if count else ""
        )

    def _on_state_changed(self) -> None:
        playback = self._playback
        word = "Pause" if playback.is_playing else "Play"
        self.play.set_picture(word.lower())
        self.play.setAccessibleName(word)
        self.play.setToolTip(f"{word} (Space on the picture)")
        self._loop.setChecked(playback.is_looping)
        self._speed.setText(f"{playback.speed:g}×")
        for action in self._speeds.actions():
            action.setChecked(action.data() == playback.speed)


def _slider() -> Slider:
    slider = Slider("Scrub", "Scrub through the frames (← →)")
    slider.setMinimumWidth(48)
    slider.setPageStep(4)
    return slider


def _speed_button() -> QPushButton:
    button = QPushButton()
    button.setProperty("quiet", True)
    button.setAccessibleName("Speed")
    button.setToolTip("Playing speed (− and + on the picture)")
    return button
