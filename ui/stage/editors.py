"""The editors that open under the setting pills."""

from dataclasses import replace

from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from ui.stage import numbers
from ui.stage.icon_button import IconButton
from ui.stage.number_field import Number, NumberField
from ui.state.run import RunState
from ui.theme import font


class Editor(QWidget):
    """A column of controls for one setting, with a line about what is allowed."""

    def __init__(self, run_state: RunState) -> None:
        super().__init__()
        self.run_state = run_state
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(8)

    def add_field(self, number: Number, has_slider: bool = False) -> NumberField:
        """Add a number to edit."""
        field = NumberField(self.run_state, number, has_slider)
        self.column.addWidget(field)
        return field

    def add_note(self, text: str) -> QLabel:
        """Add a quiet line."""
        note = QLabel(text)
        note.setProperty("tone", "secondary")
        note.setFont(font(11))
        self.column.addWidget(note)
        return note


class SizeEditor(Editor):
    """The sizes that a model was made for, those in the shape of the picture, and any other it accepts."""

    def __init__(self, run_state: RunState) -> None:
        super().__init__(run_state)
        model = run_state.model
        self.sizes = [self._size_button(*size) for size in run_state.sizes]
        grid = QGridLayout()
        for place, button in enumerate(self.sizes):
            grid.addWidget(button, place // 2, place % 2)
        self.column.addLayout(grid)
        self.width_field = self.add_field(numbers.width(model))
        self.height_field = self.add_field(numbers.height(model))
        self.add_note(f"Multiples of {model.size_multiple}")
        run_state.changed.connect(self._refresh)
        self._refresh()

    def _size_button(self, width: int, height: int) -> QPushButton:
        button = QPushButton(f"{width} × {height}")
        button.setCheckable(True)
        button.setAccessibleName(f"{width} by {height} pixels")
        is_own = (width, height) in self.run_state.model.defaults.sizes
        why = "a size this model was made for" if is_own else "in the shape of the picture"
        button.setToolTip(f"{width} × {height}, {why}")
        button.setProperty("pixels", (width, height))
        button.clicked.connect(self._choose)
        return button

    def _choose(self) -> None:
        button = self.sender()
        assert isinstance(button, QPushButton)
        width, height = button.property("pixels")
        self.run_state.change(replace(self.run_state.settings, width=width, height=height))
        self._refresh()

    def _refresh(self) -> None:
        settings = self.run_state.settings
        for button in self.sizes:
            button.setChecked(tuple(button.property("pixels")) == (settings.width, settings.height))


class FramesEditor(Editor):
    """How many frames, and how long that is."""

    def __init__(self, run_state: RunState) -> None:
        super().__init__(run_state)
        self.add_field(numbers.frames(run_state.model), has_slider=True)
        self._note = self.add_note("")
        run_state.changed.connect(self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        settings = self.run_state.settings
        stride = self.run_state.model.frame_stride
        seconds = settings.frames / settings.fps
        self._note.setText(
            f"{seconds:.2f} s at {settings.fps} frames a second · a multiple of {stride}, plus 1"
        )


class StepsEditor(Editor):
    """How many steps."""

    def __init__(self, run_state: RunState) -> None:
        super().__init__(run_state)
        self.add_field(numbers.steps(), has_slider=True)
        self.add_note(f"This model's own: {run_state.model.defaults.steps}")


class GuidanceEditor(Editor):
    """Guidance per expert, or the one of a model with one expert."""

    def __init__(self, run_state: RunState) -> None:
        super().__init__(run_state)
        own = run_state.model.defaults
        if len(run_state.model.experts) == 1:
            self.add_field(numbers.one_guidance())
            self.add_note(f"This model's own: {own.guidance_high:g}")
            return
        self.add_field(numbers.guidance("high", "HIGH noise", "high"))
        self.add_field(numbers.guidance("low", "LOW noise", "low"))
        self.add_note(f"This model's own: H {own.guidance_high:g}, L {own.guidance_low:g} · 1 is off")


class SeedEditor(Editor):
    """The seed, with dice and lock beside it."""

    def __init__(self, run_state: RunState) -> None:
        super().__init__(run_state)
        row = QHBoxLayout()
        row.addWidget(NumberField(run_state, numbers.seed()), 1)
        row.addWidget(DiceButton(run_state))
        row.addWidget(LockButton(run_state))
        self.column.addLayout(row)
        self.add_note("Unlocked, every clip gets a seed of its own")


class DiceButton(IconButton):
    """Another random seed."""

    def __init__(self, run_state: RunState) -> None:
        super().__init__("dice", "New random seed", "Another random seed")
        self.clicked.connect(run_state.roll_seed)


class LockButton(IconButton):
    """Keeps the seed from clip to clip."""

    def __init__(self, run_state: RunState) -> None:
        super().__init__("unlock", "Lock the seed", "")
        self._run_state = run_state
        self.setCheckable(True)
        self.clicked.connect(run_state.lock_seed)
        run_state.changed.connect(self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        is_locked = self._run_state.is_seed_locked
        self.setChecked(is_locked)
        self.set_picture("lock" if is_locked else "unlock")
        self.setToolTip(
            "Locked: the next clip has this seed again. Click to unlock."
            if is_locked
            else "Unlocked: the next clip has a seed of its own. Click to lock."
        )
