"""The size and the steps of a grid's clips: the next clip's, until they are changed here."""

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QSpinBox, QWidget

from catalog.models import ModelInfo
from ui.state.clip_settings import MOST_SIDE, MOST_STEPS, ClipSettings, accepted
from ui.state.run import RunState

_NAMES = ("width", "height", "frames", "steps")


class ClipSize(QWidget):
    """Four numbers, each at the nearest value that the model accepts."""

    changed = Signal()

    def __init__(self, run: RunState) -> None:
        super().__init__()
        self._run = run
        self._own: dict[str, int] = {}
        self.caption_width = 0
        """Of the first column, for what stands in line with it."""
        self.boxes = {name: _box(name) for name in _NAMES}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(6)
        for place, (name, box) in enumerate(self.boxes.items()):
            label = QLabel(name.capitalize())
            label.setProperty("tone", "secondary")
            label.setBuddy(box)
            self.caption_width = max(self.caption_width, label.sizeHint().width() * (place % 2 == 0))
            grid.addWidget(label, place // 2, place % 2 * 2)
            grid.addWidget(box, place // 2, place % 2 * 2 + 1)
            box.valueChanged.connect(lambda value, name=name: self._set(name, value))
        run.changed.connect(self.refresh)
        self.refresh()

    @property
    def settings(self) -> ClipSettings:
        """The next clip's settings with these numbers."""
        return accepted(replace(self._run.settings, **self._own), self._run.model)  # type: ignore[arg-type]

    def follow_clip(self) -> None:
        """Forget what was changed here."""
        self._own.clear()
        self.refresh()
        self.changed.emit()

    @property
    def is_own(self) -> bool:
        """Whether any number differs from the next clip's."""
        settings = self.settings
        return any(getattr(settings, name) != getattr(self._run.settings, name) for name in _NAMES)

    def refresh(self) -> None:
        """Show the numbers; a change of the next clip's moves those that were not changed here."""
        settings = self.settings
        self._own = {name: value for name, value in self._own.items() if getattr(settings, name) == value}
        for name, box in self.boxes.items():
            box.blockSignals(True)
            box.setRange(*_range(name, self._run.model))
            box.setSingleStep(_stride(name, self._run.model))
            box.setValue(getattr(settings, name))
            box.blockSignals(False)

    def _set(self, name: str, value: int) -> None:
        self._own[name] = value
        self._own[name] = getattr(self.settings, name)
        self.refresh()
        self.changed.emit()


def _box(name: str) -> QSpinBox:
    box = QSpinBox()
    box.setKeyboardTracking(False)
    box.setMinimumWidth(84)
    box.setAccessibleName(f"{name.capitalize()} of the clips")
    words = {"steps": "How many denoising steps", "frames": "How many pictures"}
    box.setToolTip(f"{words.get(name, f'{name.capitalize()} in pixels')} (↑ ↓)")
    box.lineEdit().setTextMargins(6, 0, 0, 0)  # the style sheet's padding does not reach it
    return box


def _range(name: str, model: ModelInfo) -> tuple[int, int]:
    if name == "steps":
        return 1, MOST_STEPS
    return (1, model.defaults.most_frames) if name == "frames" else (model.size_multiple, MOST_SIDE)


def _stride(name: str, model: ModelInfo) -> int:
    return {"steps": 1, "frames": model.frame_stride}.get(name, model.size_multiple)
