"""A run as the stage holds it: its steps, and its clip once there is one."""

from dataclasses import dataclass
from pathlib import Path

from catalog.models import ModelInfo
from catalog.recipe import Recipe
from engine.messages import Frames, RunStarted, StepFinished, Unfinished


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """One run. `frames` is None while it is under way and when it stopped before its clip was there.

    `number` counts the takes of this session from 1; a draft has none. `file` is None while the clip is
    only in memory; `unfinished` is what a stopped take can be continued from. `origin` says where it
    began, if not with noise.
    """

    started: RunStarted
    model: ModelInfo
    recipe: Recipe
    number: int = 0
    origin: str = ""
    is_draft: bool = False
    steps: tuple[StepFinished, ...] = ()
    frames: "Frames | None" = None
    file: Path | None = None
    unfinished: Unfinished | None = None

    @property
    def run(self) -> int:
        """The run's id in this process."""
        return self.started.run

    @property
    def count(self) -> int:
        """How many steps the run has."""
        return len(self.started.sigmas)

    @property
    def nbytes(self) -> int:
        """Bytes of memory that its pictures take."""
        return sum(step.preview.nbytes for step in self.steps) + (
            0 if self.frames is None else self.frames.nbytes
        )

    @property
    def is_told(self) -> bool:
        """Whether the recipe says what the LoRAs played: it does so at the end of a run."""
        return self.frames is not None or self.unfinished is not None

    @property
    def fps(self) -> int:
        """Frames per second of the clip."""
        return self.recipe.fps or self.model.defaults.fps

    @property
    def name(self) -> str:
        """What it is called among the others."""
        return "Draft" if self.is_draft else f"Take {self.number}"
