"""The dialog for what is set once and for all."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from ui.computing_settings import ComputingSettings
from ui.settings import MOST_MEMORY, Settings
from ui.theme import watcher

THEMES = (("system", "As the system"), ("dark", "Dark"), ("light", "Light"))
MODES = (
    ("auto", "As much as fits"),
    ("resident", "All resident: everything stays on the device"),
    ("balanced", "Balanced: parts take turns"),
    ("low", "Low: a block at a time"),
)
MODES_TIP = "How much of the model stays on the device. The clip is the same; less memory takes more time."
DEVICE_TIP = "What renders. A clip under way is finished first, or stopped and continued on the other."
DEVICES = (("auto", "The best there is"), ("cpu", "Processor (CPU)"), ("cuda", "NVIDIA GPU (CUDA)"))

_NOTHING: Mapping[str, str] = MappingProxyType({})


class SettingsDialog(QDialog):
    """Edits Settings; the window puts them to use at once.

    `cannot` says what of computing cannot be had here, with the reasons.
    """

    def __init__(
        self, settings: Settings, parent: QWidget | None = None, cannot: Mapping[str, str] = _NOTHING
    ) -> None:
        super().__init__(parent)
        self._settings = settings
        self.setWindowTitle("Settings")
        self.setMinimumWidth(560)
        self._theme = _chooser(THEMES, settings.theme, "Theme", "Colours of the window")
        self._device = _chooser(DEVICES, settings.device, "Device", DEVICE_TIP)
        self._mode = _chooser(MODES, settings.memory_mode, "Memory", MODES_TIP)
        self._memory = _memory_box(settings.memory)
        self._library = _path_box(settings.library, "Library folder", "Where LoRA files are kept")
        self._outputs = _path_box(settings.outputs, "Output folder", "Where finished clips are saved")
        width = self.fontMetrics().horizontalAdvance("Memory for steps")
        self._computing = ComputingSettings(settings.computing, cannot, width)
        self._arrange()

    def accept(self) -> None:
        own = self._settings
        own.theme, own.device = self._theme.currentData(), self._device.currentData()
        own.memory_mode = self._mode.currentData()
        own.memory, own.computing = self._memory.value(), self._computing.computing
        own.library = _typed(self._library, own.library)
        own.outputs = _typed(self._outputs, own.outputs)
        own.save()
        watcher().choose(own.theme)
        super().accept()

    def _arrange(self) -> None:
        form = QFormLayout()
        form.setSpacing(12)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("&Theme", self._theme)
        form.addRow("&Device", self._device)
        form.addRow("M&emory", self._mode)
        form.addRow("&Memory for steps", self._memory)
        form.addRow("&Library folder", self._with_button(self._library))
        form.addRow("&Output folder", self._with_button(self._outputs))
        for field in (self._library, self._outputs):
            row = field.parentWidget()
            label = form.labelForField(row) if row else None
            if isinstance(label, QLabel):
                label.setBuddy(field)
        which = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(which.Ok | which.Cancel)
        for button, tip in (
            (which.Ok, "Keep these settings (Enter)"),
            (which.Cancel, "Change nothing (Esc)"),
        ):
            buttons.button(button).setToolTip(tip)
            buttons.button(button).setIcon(type(self.windowIcon())())
        buttons.button(which.Ok).setProperty("primary", "true")
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        box = QVBoxLayout(self)
        box.setContentsMargins(24, 24, 24, 16)
        box.setSpacing(16)
        box.addLayout(form)
        box.addWidget(self._computing)
        box.addWidget(buttons)

    def _with_button(self, field: QLineEdit) -> QWidget:
        row = QWidget()
        box = QHBoxLayout(row)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(8)
        choose = QPushButton("Choose…")
        choose.setAccessibleName(f"Choose the {field.accessibleName().lower()}")
        choose.setToolTip(f"Choose the {field.accessibleName().lower()}")
        choose.clicked.connect(lambda: self._choose(field))
        box.addWidget(field, 1)
        box.addWidget(choose)
        return row

    def _choose(self, field: QLineEdit) -> None:
        chosen = QFileDialog.getExistingDirectory(self, field.accessibleName(), field.text())
        if chosen:
            field.setText(chosen)


def _chooser(choices: tuple[tuple[str, str], ...], current: str, name: str, tip: str) -> QComboBox:
    box = QComboBox()
    for value, text in choices:
        box.addItem(text, value)
    box.setCurrentIndex(max(0, box.findData(current)))
    box.setAccessibleName(name)
    box.setToolTip(tip)
    return box


def _memory_box(gib: int) -> QSpinBox:
    box = QSpinBox()
    box.setRange(0, MOST_MEMORY)
    box.setValue(gib)
    box.setSuffix(" GiB")
    box.setSpecialValueText("none")
    box.lineEdit().setTextMargins(6, 0, 0, 0)  # the style sheet's padding does not reach it
    box.setAccessibleName("Memory for steps")
    box.setToolTip(
        "How much of the computer's memory may hold the steps of recent clips.\n"
        "Live and Branch begin where something changes; with none they begin anew. Used at once (↑ ↓)"
    )
    return box


def _path_box(path: Path, name: str, tip: str) -> QLineEdit:
    field = QLineEdit(str(path))
    field.setAccessibleName(name)
    field.setToolTip(tip)
    return field


def _typed(field: QLineEdit, otherwise: Path) -> Path:
    text = field.text().strip()
    return Path(text).expanduser().absolute() if text else otherwise
