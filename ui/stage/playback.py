"""Which frame of a clip is on, and the clock that moves it."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from engine.messages import Frames

if TYPE_CHECKING:  # the window is painted before numpy is there
    import numpy as np
    from numpy.typing import NDArray

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0)


class Playback(QObject):
    """Plays frames in a loop, or once. A clip put in another's place goes on at the same moment."""

    frames_changed = Signal()
    frame_changed = Signal(int)
    state_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.frames: Frames | None = None
        self.fps = 16.0
        self.frame = 0
        self.speed = 1.0
        self.is_playing = True
        self.is_looping = True
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._advance)

    @property
    def count(self) -> int:
        """How many frames there are."""
        return 0 if self.frames is None else len(self.frames)

    @property
    def picture(self) -> "NDArray[np.uint8] | None":
        """The frame [height, width, 3] that is on."""
        return self.frames[self.frame] if self.frames is not None and self.count else None

    @property
    def seconds(self) -> float:
        """Where in the clip the frame is."""
        return self.frame / self.fps

    def show(self, frames: "Frames | None", fps: float) -> None:
        """Show other frames, from the same moment on; frames without pixels are as good as none."""
        moment = self.frame / self.count if self.count else 0.0
        self.frames, self.fps = (frames if frames is not None and frames.size else None), fps
        self.frame = min(round(moment * self.count), max(self.count - 1, 0))
        self._tick()
        self.frames_changed.emit()
        self.frame_changed.emit(self.frame)

    def set_playing(self, is_playing: bool) -> None:
        """Play or pause; playing from the last frame of a clip that does not loop starts it again."""
        if is_playing and not self.is_looping and self.frame == self.count - 1:
            self._go(0)
        self.is_playing = is_playing
        self._changed()

    def toggle(self) -> None:
        """Play when paused, pause when playing."""
        self.set_playing(not self.is_playing)

    def set_looping(self, is_looping: bool) -> None:
        """Begin again at the end, or stop there."""
        self.is_looping = is_looping
        self._changed()

    def set_speed(self, speed: float) -> None:
        """Play slower or faster than recorded."""
        self.speed = speed
        self._changed()

    def seek(self, frame: int) -> None:
        """Stop at a frame."""
        self._go(min(max(frame, 0), max(self.count - 1, 0)))
        if self.is_playing:
            self.set_playing(False)

    def step(self, frames: int) -> None:
        """Stop some frames further on or back; the ends meet."""
        if self.count:
            self.seek((self.frame + frames) % self.count)

    def _advance(self) -> None:
        if self.frame + 1 < self.count:
            self._go(self.frame + 1)
        elif self.is_looping:
            self._go(0)
        else:
            self.set_playing(False)

    def _go(self, frame: int) -> None:
        if frame != self.frame:
            self.frame = frame
            self.frame_changed.emit(frame)

    def _changed(self) -> None:
        self._tick()
        self.state_changed.emit()

    def _tick(self) -> None:
        """Run the clock only while something moves."""
        if self.is_playing and self.count > 1:
            self._timer.start(max(round(1000 / (self.fps * self.speed)), 1))
        else:
            self._timer.stop()
