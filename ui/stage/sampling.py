"""The editor of how a clip goes through the noise: scheduler, shift, sigmas, and where the experts change."""

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QFormLayout, QLabel, QLineEdit, QPushButton, QToolButton

from catalog import sigma_text
from catalog.errors import CatalogError
from catalog.planned_axis import planned
from catalog.recipe_checks import SCHEDULERS
from catalog.sampling import Sampling
from ui.restyle import restyle
from ui.stage import numbers
from ui.stage.editors import Editor
from ui.stage.number_field import Number, NumberField
from ui.stage.sampling_words import SCHEDULER_TIPS, scheduler_title
from ui.state.clip_settings import MOST_STEPS, ClipSettings
from ui.state.run import RunState

_CHOICES: tuple[str | None, ...] = (None, *SCHEDULERS)
_OWN, _AT_SIGMA, _AT_STEP = range(3)


class SamplingEditor(Editor):
    """Scheduler, shift and sigmas; with two experts also the boundary between them."""

    def __init__(self, run_state: RunState) -> None:
        super().__init__(run_state)
        self.setMinimumWidth(340)
        self._form = QFormLayout()
        self._form.setVerticalSpacing(8)
        self.column.addLayout(self._form)
        self.schedulers = self._choice("Scheduler", [scheduler_title(name) for name in _CHOICES])
        for row, name in enumerate(_CHOICES):
            self.schedulers.setItemData(row, SCHEDULER_TIPS[name], Qt.ItemDataRole.ToolTipRole)
        self.schedulers.activated.connect(self._choose_scheduler)
        self.shift = NumberField(run_state, replace(numbers.shift(), name=""))
        self.shift.box.setAccessibleName("Shift")
        self._row("Shift", self.shift)
        own = run_state.model.defaults.shift
        self.reset = QPushButton(f"This model's own: {own:g}")
        self.reset.setToolTip(f"Set the shift to {own:g}")
        self.reset.setAccessibleName(f"Set the shift to this model's own, {own:g}")
        self.reset.clicked.connect(self._reset_shift)
        self._form.addRow("", self.reset)
        self.sigmas = QLineEdit()
        self.sigmas.setPlaceholderText("computed from steps and shift")
        self.sigmas.setClearButtonEnabled(True)
        (clear,) = self.sigmas.findChildren(QToolButton)
        clear.setAccessibleName("Clear the sigmas")
        clear.setToolTip("Back to sigmas computed from steps and shift")
        self.sigmas.setAccessibleName("Sigmas of the steps")
        self.sigmas.setToolTip("Paste sigmas or timesteps, one for each step: 1, 0.9375, 0.83333, 0.625")
        self.sigmas.editingFinished.connect(self._take_sigmas)
        self.sigmas.textChanged.connect(self._clear_sigmas)
        self._row("Sigmas", self.sigmas)
        if len(run_state.model.experts) == 2:
            self._build_boundary()
        self.note = self.add_note("")
        self.note.setWordWrap(True)
        run_state.changed.connect(self._refresh)
        self._refresh()

    def _choice(self, name: str, choices: list[str]) -> QComboBox:
        box = QComboBox()
        box.addItems(choices)
        box.setAccessibleName(name)
        self._row(name, box)
        return box

    def _row(self, name: str, field: QComboBox | QLineEdit | NumberField) -> None:
        caption = QLabel(name)
        caption.setProperty("tone", "secondary")
        caption.setBuddy(field)
        self._form.addRow(caption, field)

    def _build_boundary(self) -> None:
        own = self.run_state.model.boundary or 0.0
        choices = [f"at this model's own σ, {own:g}", "at another σ", "after some steps"]
        self.change = self._choice("Experts change", choices)
        self.change.setToolTip("Where the LOW noise expert takes over from the HIGH noise expert")
        self.change.activated.connect(self._choose_boundary)
        self.at_sigma = NumberField(self.run_state, _sigma_number(own))
        self.at_step = NumberField(self.run_state, _step_number())
        for field in (self.at_sigma, self.at_step):
            self._form.addRow("", field)

    # Showing

    def _refresh(self) -> None:
        settings = self.run_state.settings
        self.schedulers.setCurrentIndex(_CHOICES.index(settings.scheduler))
        is_computed = settings.sigmas is None
        for widget in (self.shift, self.reset):
            widget.setEnabled(is_computed)
        if not self.sigmas.hasFocus() or not self.sigmas.isModified():
            self.sigmas.setText(sigma_text.write(settings.sigmas))
        if len(self.run_state.model.experts) == 2:
            by_step, by_sigma = settings.boundary_step is not None, settings.boundary is not None
            self.change.setCurrentIndex(_AT_STEP if by_step else _AT_SIGMA if by_sigma else _OWN)
            self._form.setRowVisible(self.at_sigma, by_sigma)
            self._form.setRowVisible(self.at_step, by_step)
        self._say(self._summary(), "secondary")

    def _summary(self) -> str:
        axis = planned(self.run_state.model, Sampling.of(self.run_state.settings))
        ends = f"σ {axis.sigmas[0]:.3f} to {axis.sigmas[-1]:.3f}, then 0"
        if len(self.run_state.model.experts) == 1:
            return f"{_steps(axis.steps)} · {ends}"
        return f"{_steps(axis.border)} HIGH, {axis.steps - axis.border} LOW · {ends}"

    def _say(self, text: str, tone: str) -> None:
        self.note.setText(text)
        restyle(self.note, "tone", tone)

    # Doing

    def _change(self, **fields: object) -> None:
        self.run_state.change(replace(self.run_state.settings, **fields))  # type: ignore[arg-type]

    def _choose_scheduler(self, row: int) -> None:
        self._change(scheduler=_CHOICES[row])

    def _reset_shift(self) -> None:
        self._change(shift=self.run_state.model.defaults.shift)

    def _choose_boundary(self, row: int) -> None:
        axis = planned(self.run_state.model, Sampling.of(self.run_state.settings))
        own = self.run_state.model.boundary
        step = min(max(axis.border, 1), axis.steps - 1) if axis.steps > 1 else None
        self._change(
            boundary=own if row == _AT_SIGMA else None, boundary_step=step if row == _AT_STEP else None
        )
        self._refresh()

    def _clear_sigmas(self, text: str) -> None:
        if not text and self.run_state.settings.sigmas is not None:
            self._change(sigmas=None)

    def _take_sigmas(self) -> None:
        try:
            given = sigma_text.read(self.sigmas.text())
            if given is not None and len(given) > MOST_STEPS:
                self._say(f"A clip has at most {MOST_STEPS} steps.", "refused")
                return
        except CatalogError as error:
            self._say(str(error), "refused")
            return
        self.sigmas.setModified(False)
        steps = len(given) if given else self.run_state.settings.steps
        self._change(sigmas=given, steps=steps)
        self._refresh()


def _sigma_number(own: float) -> Number:
    def read(settings: ClipSettings) -> float:
        return own if settings.boundary is None else settings.boundary

    def put(settings: ClipSettings, value: float) -> ClipSettings:
        return replace(settings, boundary=value, boundary_step=None)

    tip = "LOW noise takes over below this σ (↑ ↓)"
    return Number("below σ", 0.01, 0.99, 0.005, read, put, decimals=3, tip=tip)


def _step_number() -> Number:
    def read(settings: ClipSettings) -> float:
        return settings.boundary_step or 1

    def put(settings: ClipSettings, value: float) -> ClipSettings:
        return replace(settings, boundary=None, boundary_step=round(value))

    tip = "How many steps are on HIGH noise before LOW noise takes over (↑ ↓)"
    return Number("HIGH steps", 1, MOST_STEPS - 1, 1, read, put, tip=tip)


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"
