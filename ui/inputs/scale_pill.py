"""How strongly a control clip and reference images guide: a pill at the end of the row."""

from dataclasses import replace

from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui.stage.editors import Editor
from ui.stage.number_field import Number
from ui.stage.setting_pill import SettingPill
from ui.state.clip_settings import ClipSettings
from ui.state.input_places import has_scale, taken
from ui.state.run import RunState

MOST_SCALE = 2.0


class ScalePill(QWidget):
    """There only while it changes something."""

    def __init__(self, run: RunState, parent: QWidget) -> None:
        super().__init__(parent)
        self._run = run
        self.pill = SettingPill(run, "Control strength", _text, ScaleEditor)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 8)  # as high as a slot
        column.addWidget(self.pill)
        run.changed.connect(self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        model = self._run.model
        self.setVisible(has_scale(model) and bool(taken(self._run.settings.inputs, model).pictures))


class ScaleEditor(Editor):
    """The conditioning scale."""

    def __init__(self, run: RunState) -> None:
        super().__init__(run)
        takes_control = "control_video" in run.model.takes
        what = "control clip and reference images" if takes_control else "reference images"
        tip = f"How closely the clip keeps to its {what}; 1 is as trained (↑ ↓)"
        name = _name(run).capitalize()
        self.add_field(Number(name, 0, MOST_SCALE, 0.05, _read, _put, 2, tip=tip), has_slider=True)
        self.add_note(
            "1 is as trained, 0 is without them"
            if takes_control
            else "1 is as trained; it counts only where guidance is not 1"
        )


def _text(run: RunState) -> str:
    return f"{_name(run)} {_read(run.settings):g}"


def _name(run: RunState) -> str:
    return "control" if "control_video" in run.model.takes else "references"


def _read(settings: ClipSettings) -> float:
    return settings.inputs.conditioning_scale


def _put(settings: ClipSettings, value: float) -> ClipSettings:
    return replace(settings, inputs=replace(settings.inputs, conditioning_scale=round(value, 2)))
