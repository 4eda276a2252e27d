"""One number of the settings: a caption, a box to type in and, where it helps, a slider."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QLabel, QSlider, QWidget

from ui.stage.slider import Slider
from ui.state.clip_settings import ClipSettings
from ui.state.run import RunState

Read = Callable[[ClipSettings], float]
Put = Callable[[ClipSettings, float], ClipSettings]


@dataclass(frozen=True, slots=True)
class Number:
    """Which number: what it is called, its range, and how it is read from and put into the settings."""

    name: str
    least: float
    most: float
    step: float
    read: Read
    put: Put
    decimals: int = 0
    suffix: str = ""
    tone: str = "secondary"
    tip: str = ""


class NumberField(QWidget):
    """Edits one number; what the model does not accept becomes the nearest that it does, in sight."""

    def __init__(self, run_state: RunState, number: Number, has_slider: bool = False) -> None:
        super().__init__()
        self._run_state = run_state
        self._number = number
        self._caption = QLabel(number.name)
        self.slider = self._new_slider() if has_slider else None
        self.box = self._new_box()
        self._caption.setProperty("tone", number.tone)
        self._caption.setBuddy(self.box)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for widget in (self._caption, self.slider, self.box):
            if widget is not None:
                row.addWidget(widget)
        self.setFocusProxy(self.box)
        self._refresh()
        run_state.changed.connect(self._refresh)

    def _new_box(self) -> QDoubleSpinBox:
        number, box = self._number, QDoubleSpinBox()
        box.setDecimals(number.decimals)
        box.setRange(number.least, number.most)
        box.setSingleStep(number.step)
        box.setSuffix(number.suffix)
        box.setKeyboardTracking(False)
        box.lineEdit().setTextMargins(6, 0, 0, 0)  # the style sheet's padding does not reach it
        box.setAccessibleName(number.name)
        box.setToolTip(number.tip or f"{number.name} (↑ ↓)")
        box.valueChanged.connect(self._write)
        return box

    def _new_slider(self) -> QSlider:
        number = self._number
        slider = Slider(f"{number.name} slider", number.tip or f"{number.name} (← →)")
        slider.setRange(0, round((number.most - number.least) / number.step))
        slider.setMinimumWidth(160)
        slider.valueChanged.connect(self._slide)
        return slider

    def _slide(self, place: int) -> None:
        self._write(self._number.least + place * self._number.step)

    def _write(self, value: float) -> None:
        self._run_state.change(self._number.put(self._run_state.settings, value))
        self._refresh()  # also where nothing changed: the box may show what was not accepted

    def _refresh(self) -> None:
        value = self._number.read(self._run_state.settings)
        controls: tuple[tuple[QWidget | None, float], ...] = (
            (self.box, value),
            (self.slider, round((value - self._number.least) / self._number.step)),
        )
        for control, shown in controls:
            if isinstance(control, QDoubleSpinBox | QSlider):
                control.blockSignals(True)
                control.setValue(shown)  # type: ignore[arg-type]
                control.blockSignals(False)
