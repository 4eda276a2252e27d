"""What one axis of a grid is, and its values as text."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from catalog.grid_values import BadValues, seeds_in, strengths_in
from engine.grid_axis import Axis, SeedAxis, StrengthAxis
from ui.grid.choices import Choice
from ui.restyle import restyle

VALUES = "0, 0.5, 1"
RANGES = (VALUES, "0…1 in 5", "−1…1 in 5")
_TIP = "Numbers with commas between them, or a range: 0…1 in 5 (also 0..1 in 5, 0 to 1 in 5)"
_SEED_TIP = "Whole numbers with commas between them, or a range: 7…9"


class AxisEditor(QWidget):
    """Chooses a fader or the seed, and takes values; `changed` says that either is another one."""

    changed = Signal()

    def __init__(self, title: str, is_optional: bool) -> None:
        super().__init__()
        self._is_optional = is_optional
        self._wanted: Choice | None = None
        self.is_chosen = self._is_of_seeds = self._has_typed_seeds = False
        self._other_values = "1…3"  # seeds while there are strengths, and the other way round
        self.what = QComboBox()
        self.values = QLineEdit(VALUES)
        self.said = QLabel()
        self._dress(title)
        self._arrange(title)
        self.what.activated.connect(self._on_activated)
        self.what.currentIndexChanged.connect(self._on_chosen)
        self.values.textEdited.connect(self._on_typed)
        self._refresh()

    def offer(self, choices: Sequence[Choice], at_first: Choice | None) -> None:
        """What there is to choose from; what somebody chose stays, or comes again with its strip."""
        offered = [(choice.text, choice) for choice in choices]
        entries = [("Nothing: one row", None), *offered] if self._is_optional else offered
        self.what.blockSignals(True)
        self.what.clear()
        for text, choice in entries:
            self.what.addItem(text, choice)
        there = [choice for _, choice in entries]
        wanted = [self._wanted] * self.is_chosen + [at_first]
        self.what.setCurrentIndex(next((there.index(choice) for choice in wanted if choice in there), 0))
        self.what.blockSignals(False)
        self._swap_values()
        self._refresh()

    def suggest_seeds(self, first: int) -> None:
        """The seeds to begin with, where no others were typed."""
        if not (self._is_of_seeds or self._has_typed_seeds):
            self._other_values = f"{first}…{first + 2}"

    @property
    def choice(self) -> Choice | None:
        """The fader, the seed, or nothing."""
        chosen = self.what.currentData()
        return chosen if isinstance(chosen, Choice) else None

    def axis(self) -> Axis | None:
        """What was chosen with its values; None where nothing is. Raises BadValues."""
        choice, text = self.choice, self.values.text()
        if choice is None:
            return None
        if choice.adapter is None:
            return SeedAxis(seeds_in(text))
        return StrengthAxis(choice.adapter, choice.name, choice.part, strengths_in(text))

    def _dress(self, title: str) -> None:
        self.what.setAccessibleName(f"{title}: what changes")
        self.what.setToolTip(f"What changes along the {title.lower()}")
        self.what.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.values.setAccessibleName(f"{title}: values")
        self.said.setTextFormat(Qt.TextFormat.PlainText)
        self.said.setProperty("px", "12")
        self.said.setWordWrap(True)

    def _arrange(self, title: str) -> None:
        head = QLabel(title)
        head.setProperty("weight", "bold")
        head.setBuddy(self.what)
        chips = QHBoxLayout()
        chips.setSpacing(6)
        self.chips = [self._chip(text) for text in RANGES]
        for chip in self.chips:
            chips.addWidget(chip)
        chips.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        for widget in (head, self.what, self.values):
            column.addWidget(widget)
        column.addLayout(chips)
        column.addWidget(self.said)

    def _chip(self, text: str) -> QPushButton:
        chip = QPushButton(text)
        chip.setProperty("chip", True)
        chip.setAutoDefault(False)
        chip.setToolTip(f"Take these values: {text}")
        chip.setAccessibleName(f"Values {text}")
        chip.clicked.connect(lambda: self._put(text))
        return chip

    def _put(self, text: str) -> None:
        self.values.setText(text)
        self._on_typed()

    def _on_activated(self) -> None:
        self.is_chosen, self._wanted = True, self.choice

    def _on_chosen(self) -> None:
        self._swap_values()
        self._changed()

    def _swap_values(self) -> None:
        """Seeds and strengths are typed in one field, and neither is taken for the other."""
        is_of_seeds = self.choice is not None and self.choice.adapter is None
        if is_of_seeds != self._is_of_seeds:
            self._is_of_seeds, before = is_of_seeds, self.values.text()
            self.values.setText(self._other_values)
            self._other_values = before

    def _on_typed(self) -> None:
        self._has_typed_seeds |= self._is_of_seeds
        self._changed()

    def _changed(self) -> None:
        self._refresh()
        self.changed.emit()

    def _refresh(self) -> None:
        choice = self.choice
        self.values.setVisible(choice is not None)
        self.values.setToolTip(_SEED_TIP if self._is_of_seeds else _TIP)
        for chip in self.chips:
            chip.setVisible(choice is not None and not self._is_of_seeds)
        words, tone = self._words()
        self.said.setVisible(choice is not None)
        self.said.setText(words)
        restyle(self.said, "tone", tone)

    def _words(self) -> tuple[str, str]:
        """The values as they were understood, or what is wrong with them."""
        try:
            axis = self.axis()
        except BadValues as error:
            return f"{error} {error.advice}", "refused"
        labels = axis.labels if axis else ()
        shown = labels if len(labels) <= 8 else (*labels[:4], "…", *labels[-2:])
        count = "1 value" if len(labels) == 1 else f"{len(labels)} values"
        return f"{count}: {'  '.join(shown)}", "secondary"
