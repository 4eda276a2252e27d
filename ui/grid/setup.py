"""Where a grid is set up: its axes, its clips' size and steps, and what that comes to."""

from dataclasses import replace

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from catalog.grid_values import BadValues, seeds_in
from catalog.planned_axis import planned
from catalog.sampling import Sampling
from engine.bridge import EngineBridge
from engine.grid import BadGrid, Grid
from ui.grid.axis_editor import AxisEditor
from ui.grid.choices import Choice, at_first, choices, clash
from ui.grid.clip_size import ClipSize
from ui.restyle import restyle
from ui.state.grid import GridState
from ui.state.mix import MixState
from ui.state.run import RunState

_CALM = 150
"""Milliseconds without a change after which is worked out what a grid comes to: faders may be moving."""


class GridSetup(QWidget):
    """Edits the next grid, `grid`. The desk and all other settings are those of the moment."""

    def __init__(self, bridge: EngineBridge, run: RunState, mix: MixState, state: GridState) -> None:
        super().__init__()
        self._bridge, self._run, self._mix, self._state = bridge, run, mix, state
        self._offered: tuple[Choice, ...] = ()
        self.columns = AxisEditor("Columns", is_optional=False)
        self.rows = AxisEditor("Rows", is_optional=True)
        self.clips = ClipSize(run)
        self.seeds = QLineEdit()
        self.follow = QPushButton("As the clip")
        self.summary = QLabel()
        self.problem = ""
        """Why no grid can be rendered as things stand."""
        self._dress()
        self._arrange()
        self._calm = QTimer(self, singleShot=True, interval=_CALM)
        self._calm.timeout.connect(self._follow)
        for source in (self.columns, self.rows, self.clips):
            source.changed.connect(self.refresh)
        for later in (mix.changed, mix.strip_changed, run.changed, run.state_changed):
            later.connect(self._calm.start)
        self.refresh()

    def grid(self) -> Grid:
        """The grid as it is set up. Raises BadValues or BadGrid."""
        columns, rows = self.columns.axis(), self.rows.axis()
        if columns is None:
            raise BadGrid("There is nothing to change along the columns.")
        settings = self.clips.settings
        recipe = replace(
            self._run.recipe(),
            width=settings.width,
            height=settings.height,
            frames=settings.frames,
            steps=settings.steps,
            loras=self._mix.uses(),
        )
        names = tuple(strip.adapter for strip in self._mix.mix.strips)
        typed = self.seeds.text().strip()
        return Grid(recipe, self._mix.mix, columns, rows, names, seeds_in(typed) if typed else ())

    def refresh(self) -> None:
        """Follow the desk and the settings, and say what the grid comes to."""
        offered = choices(self._mix)
        is_settled = all(self._mix.attachment(s.id).status != "attaching" for s in self._mix.strips)
        # a list that is open would close; and faders must not go only because their files are on the way
        if offered != self._offered and (is_settled or not self._offered):
            self._offer(offered)
        for axis in (self.columns, self.rows):
            axis.suggest_seeds(self._run.settings.seed)
        self.follow.setEnabled(self.clips.is_own)
        words = ""
        try:
            words = self._words(self.grid())
            self.problem = self._state.hindrance()
        except (BadGrid, BadValues) as error:
            self.problem = str(error)
        self.summary.setText(self.problem or words)
        restyle(self.summary, "tone", "look" if self.problem else "secondary")

    def _offer(self, offered: tuple[Choice, ...]) -> None:
        """Give both axes their choice; what comes in place of a strip that has gone is not on both."""
        self._offered, (across, down) = offered, at_first(offered)
        taken = self.rows.choice if self.rows.is_chosen and self.rows.choice in offered else None
        columns = (choice for choice in (across, down, *offered) if choice and not clash(choice, taken))
        self.columns.offer(offered, next(columns, across))
        self.rows.offer(offered, None if clash(down, self.columns.choice) else down)

    def _follow(self) -> None:
        if self.isVisible():
            self.refresh()

    def _words(self, grid: Grid) -> str:
        height, width = grid.shape
        clips = f"{width} × {height} = {width * height} clips"
        axis = planned(self._run.model, Sampling.of(self.clips.settings))
        if height * width == 1:
            return f"1 clip of {axis.steps} steps."
        steps = axis.steps * width * height
        if not self._bridge.budget:
            return (
                f"{clips} of {axis.steps} steps. Nothing is shared: the settings allow no memory for steps."
            )
        made = sum(grid.costs(axis.sigmas, axis.experts))
        if made == steps:
            return f"{clips}, {steps} steps. No two clips have steps in common."
        return f"{clips}. {made} of {steps} steps are rendered, the others are shared."

    def _dress(self) -> None:
        self.follow.setAutoDefault(False)
        self.follow.setToolTip("Size, frames and steps of the next clip")
        self.follow.setAccessibleName("Size and steps as those of the next clip")
        self.follow.clicked.connect(self.clips.follow_clip)
        self.seeds.setPlaceholderText("the clip's own, or 7, 8, 9")
        self.seeds.setAccessibleName("Seeds")
        self.seeds.setToolTip("Every row is made with each of these seeds: 7, 8, 9 or 7…9")
        self.seeds.textEdited.connect(self.refresh)
        self.summary.setWordWrap(True)
        self.summary.setProperty("px", "12")
        self.summary.setAccessibleName("What the grid comes to")

    def _arrange(self) -> None:
        head = QLabel("Clips")
        head.setProperty("weight", "bold")
        line = QHBoxLayout()
        line.addWidget(head, 1)
        line.addWidget(self.follow)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(16)
        column.addWidget(self.columns)
        column.addWidget(self.rows)
        clips = QVBoxLayout()
        clips.setSpacing(6)
        clips.addLayout(line)
        clips.addWidget(self.clips)
        label, seeds = QLabel("Seeds"), QHBoxLayout()
        label.setProperty("tone", "secondary")
        label.setBuddy(self.seeds)
        label.setMinimumWidth(self.clips.caption_width)
        seeds.setSpacing(8)
        seeds.addWidget(label)
        seeds.addWidget(self.seeds, 1)
        clips.addLayout(seeds)
        column.addLayout(clips)
        column.addWidget(self.summary)
