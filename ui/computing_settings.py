"""The part of the settings that says how clips are computed."""

from collections.abc import Mapping

from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from catalog.computing import Computing, FirstBlock

Choices = tuple[tuple[str, str, str], ...]
"""A value, its name, and a sentence on what it does."""

WAYS: Choices = (
    ("auto", "Whichever is quicker", "Chosen for each layer, by what it would cost."),
    ("exact", "Exact", "Added to each layer's answer: the least strength is heard."),
    ("fast", "Fast", "Added to a copy of each layer's weights: quicker for clips."),
)
ATTENTION: Choices = (
    ("auto", "PyTorch", "PyTorch's own, which picks what suits the device."),
    ("cudnn", "cuDNN", "NVIDIA's library, as PyTorch brings it."),
    ("flash", "FlashAttention 2", "The same sums in another order, quicker on NVIDIA GPUs."),
    ("flash3", "FlashAttention 3", "As FlashAttention 2, for H100 and the like."),
    ("sage", "SageAttention", "Rounds to 8 bits: quicker, and visibly another clip."),
    ("xformers", "xFormers", "Kernels of the xFormers library."),
    ("math", "Plain arithmetic", "Step by step: slow, needs much memory. To compare with."),
)
HEADING = "How it is computed"
NOTE = (
    "How long a clip takes, and its finest details; not what you ask for. "
    "Every clip remembers how it was computed."
)
COMPILE = "The first step of a new size takes longer, later ones less."
COMPILE_TIP = (
    "PyTorch turns each block of the model into code of its own. The first step in a new size takes longer,\n"
    "often a minute; all later ones are quicker. LoRAs are then applied the fast way."
)
SKIP = "Quicker with many steps, but details suffer."
SKIP_TIP = (
    "Where the model's first block answers nearly as in the step before, the other blocks are skipped and their\n"
    "last answer is used again. Higher skips more; details suffer. After a fader has moved, the next step is\n"
    "always computed in full. With few steps this gains nothing. Branches begin again at the expert's first step."
)
_NOT_EXACT = "Exact LoRAs cannot be compiled."
_MOST_SKIPPED = 0.5


class ComputingSettings(QWidget):
    """Fields for a Computing; what cannot be had here is disabled, with the reason.

    `cannot` names it as the engine does; an option that was chosen elsewhere stays chosen. The labels are at
    least `label_width` wide.
    """

    def __init__(self, computing: Computing, cannot: Mapping[str, str], label_width: int = 0) -> None:
        super().__init__()
        self._cannot = cannot
        self._way = _chooser(WAYS, computing.way, "How LoRAs are applied", {})
        attention = "auto" if computing.attention == "sdpa" else computing.attention
        self._attention = _chooser(ATTENTION, attention, "Who computes attention", cannot)
        self._compile = QCheckBox("Compile the model's blocks")
        self._compile.setAccessibleName("Compile")
        self._compile_words = _small("")
        self._compile.setChecked(computing.compile)
        self._skip = _skip_box(computing.cache)
        self._arrange(label_width)
        self._way.currentIndexChanged.connect(self._refresh)
        self._refresh()

    @property
    def computing(self) -> Computing:
        """What the fields say."""
        threshold = self._skip.value()
        return Computing(
            way=self._way.currentData(),
            attention=self._attention.currentData(),
            compile=self._compile.isChecked() and self._compile.isEnabled(),
            cache=FirstBlock(threshold) if threshold else None,
        )

    def _arrange(self, label_width: int) -> None:
        form = QFormLayout()
        form.setSpacing(12)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows = (
            ("Lo&RAs", self._way, _chosen(self._way, WAYS)),
            ("&Attention", self._attention, _chosen(self._attention, ATTENTION)),
            ("&Skip steps", self._skip, _small(SKIP)),
            ("", self._compile, self._compile_words),
        )
        for name, field, sentence in rows:
            row = _above(field, sentence)
            form.addRow(name, row)
            label = form.labelForField(row)
            if isinstance(label, QLabel):
                label.setBuddy(field)
                label.setMinimumWidth(label_width)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(8)
        heading = QLabel(HEADING)
        heading.setProperty("weight", "bold")
        box.addWidget(heading)
        note = _small(NOTE)
        note.setWordWrap(True)
        box.addWidget(note)
        box.addSpacing(4)
        box.addLayout(form)

    def _refresh(self) -> None:
        reason = _NOT_EXACT if self._way.currentData() == "exact" else self._cannot.get("compile", "")
        self._compile.setEnabled(not reason)
        self._compile.setToolTip(reason or COMPILE_TIP)
        self._compile_words.setText(reason or COMPILE)


def _chooser(choices: Choices, current: str, name: str, cannot: Mapping[str, str]) -> QComboBox:
    box = QComboBox()
    model = box.model()
    assert isinstance(model, QStandardItemModel)
    for value, text, sentence in choices:
        reason = cannot.get(value, "")
        box.addItem(f"{text} ({_inline(reason)})" if reason else text, value)
        item = model.item(box.count() - 1)
        item.setToolTip(f"{sentence} {reason}".strip())
        item.setEnabled(not reason or value == current)
    box.setCurrentIndex(max(0, box.findData(current)))
    box.setAccessibleName(name)
    return box


def _chosen(box: QComboBox, choices: Choices) -> QLabel:
    """What the present choice does."""
    sentence = _small("")

    def say() -> None:
        sentence.setText(choices[box.currentIndex()][2])
        box.setToolTip(f"{box.accessibleName()}: {sentence.text()}")

    box.currentIndexChanged.connect(say)
    say()
    return sentence


def _above(field: QWidget, sentence: QLabel) -> QWidget:
    row = QWidget()
    column = QVBoxLayout(row)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(8)
    field.ensurePolished()
    sentence.ensurePolished()
    column.addWidget(field)
    column.addWidget(sentence)
    return row


def _skip_box(cache: FirstBlock | None) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(0, _MOST_SKIPPED)
    box.setSingleStep(0.05)
    box.setPrefix("where little changes: below ")
    box.setSpecialValueText("never")
    box.setValue(cache.threshold if cache else 0)
    box.lineEdit().setTextMargins(6, 0, 0, 0)  # the style sheet's padding does not reach it
    box.setAccessibleName("Skip steps")
    box.setToolTip(SKIP_TIP)
    return box


def _small(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("tone", "secondary")
    label.setProperty("px", "12")
    return label


def _inline(reason: str) -> str:
    """A reason inside brackets: its first letter small, without the full stop."""
    return reason[:1].lower() + reason[1:].rstrip(".")
