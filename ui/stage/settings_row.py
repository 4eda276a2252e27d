"""The settings of the next clip: the prompts, and a row of pills."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ui.stage import editors
from ui.stage.flow import FlowLayout
from ui.stage.prompt_box import PromptBox
from ui.stage.sampling_words import sampling_text
from ui.stage.setting_pill import SettingPill
from ui.state.run import RunState


class SettingsRow(QWidget):
    """Arranges the prompts and the pills."""

    def __init__(self, run_state: RunState) -> None:
        super().__init__()
        self.prompts = PromptBox(run_state)
        self.size_pill = SettingPill(run_state, "Size", _size, editors.SizeEditor)
        self.frames_pill = SettingPill(run_state, "Frames", _frames, editors.FramesEditor)
        self.steps_pill = SettingPill(run_state, "Steps", _steps, editors.StepsEditor)
        self.guidance_pill = SettingPill(run_state, "Guidance", _guidance, editors.GuidanceEditor)
        self.sampling_pill = SettingPill(run_state, "Sampling", sampling_text, _sampling_editor)
        self.seed_pill = SettingPill(run_state, "Seed", _seed, editors.SeedEditor)
        self.dice = editors.DiceButton(run_state)
        self.lock = editors.LockButton(run_state)
        pills = QWidget()
        flow = FlowLayout(pills, spacing=6)
        for pill in self.pills[:-1]:
            flow.addWidget(pill)
        flow.addWidget(self._seed_group())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.prompts)
        column.addWidget(pills)

    def _seed_group(self) -> QWidget:
        """Seed, dice and lock, which stay together in one line."""
        group = QWidget()
        row = QHBoxLayout(group)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        for widget in (self.seed_pill, self.dice, self.lock):
            row.addWidget(widget, 0, Qt.AlignmentFlag.AlignTop)
        return group

    @property
    def pills(self) -> tuple[SettingPill, ...]:
        """The pills from left to right."""
        return (
            self.size_pill,
            self.frames_pill,
            self.steps_pill,
            self.guidance_pill,
            self.sampling_pill,
            self.seed_pill,
        )


def _size(run: RunState) -> str:
    return f"{run.settings.width} × {run.settings.height}"


def _frames(run: RunState) -> str:
    frames, fps = run.settings.frames, run.settings.fps
    return f"{frames} frames · {frames / fps:.1f} s" if frames > 1 else "1 frame"


def _steps(run: RunState) -> str:
    return f"{run.settings.steps} steps" if run.settings.steps > 1 else "1 step"


def _guidance(run: RunState) -> str:
    guidance = run.settings.guidance
    if len(run.model.experts) == 1:
        return f"CFG {guidance.high:g}"
    return f"CFG  H {guidance.high:g}  L {guidance.low:g}"


def _sampling_editor(run: RunState) -> QWidget:
    from ui.stage.sampling import SamplingEditor  # numpy, which the window does not wait for

    return SamplingEditor(run)


def _seed(run: RunState) -> str:
    return f"seed {run.settings.seed}"
