"""The steps of a run laid out along a line, and what can be said about each."""

from collections.abc import Callable
from itertools import pairwise

from PySide6.QtCore import QRectF

from catalog.models import Expert
from catalog.sampling import Sampling
from engine.messages import StepFinished
from ui.stage.captions import NOISE
from ui.state.run import RunState
from ui.state.take import Take

NameOf = Callable[[str], str]
TOP, CELL = 4, 32


class Track:
    """Where each step's cell is on a line of some width, whose step it is, and where the experts meet."""

    def __init__(self, run_state: RunState, name_of: NameOf) -> None:
        self._run_state = run_state
        self._takes = run_state.takes
        self._name_of = name_of

    @property
    def take(self) -> Take | None:
        """The run whose steps these are, if there was one."""
        return self._takes.on_show

    @property
    def steps(self) -> tuple[StepFinished, ...]:
        """The steps that have a picture, from the first."""
        return self._takes.steps

    @property
    def done(self) -> int:
        """How many steps have a picture."""
        return len(self.steps)

    @property
    def fresh(self) -> int:
        """How many of them are of this run; further ones are those of the clip before."""
        return self._takes.fresh

    @property
    def count(self) -> int:
        """How many cells there are: the run's steps, or before it those of the settings."""
        return self.take.count if self.take else self._run_state.settings.steps

    @property
    def experts(self) -> tuple[Expert, ...]:
        """Whose step each is; empty before the first run and where there is only one."""
        take = self.take
        return take.started.experts if take and len(take.model.experts) > 1 else ()

    @property
    def boundary(self) -> float | None:
        """Where the noise passes the boundary, counted in cells, if both experts have work.

        The middle of a cell is where its step's sigma is: 1.5 is the middle of the second cell.
        """
        take = self.take
        sigma = _border(take) if take and self.experts else None
        if take is None or sigma is None:
            return None
        for step, (before, after) in enumerate(pairwise(take.started.sigmas)):
            if before >= sigma > after:
                return step + 0.5 + (before - sigma) / (before - after)
        return None

    @property
    def boundary_text(self) -> str:
        """The noise level at which the experts change over."""
        sigma = _border(self.take) if self.take else None
        return f"boundary σ {sigma:.3f}" if sigma is not None else ""

    @property
    def ends(self) -> tuple[str, str]:
        """The noise levels of the first and the last step, or before a run how many there will be."""
        if self.take is None:
            return (f"{self.count} steps" if self.count > 1 else "1 step"), ""
        sigmas = self.take.started.sigmas
        return f"σ {sigmas[0]:.2f}", f"σ {sigmas[-1]:.2f}"

    def cell(self, step: int, width: float) -> QRectF:
        """Where a step's cell is."""
        gap = 3.0 if width / self.count >= 12 else 1.0
        each = (width + gap) / self.count
        return QRectF(step * each, TOP, each - gap, CELL)

    def place(self, cells: float, width: float) -> float:
        """Where a place counted in cells is."""
        step = min(int(cells), self.count - 1)
        area = self.cell(step, width)
        return area.left() + (cells - step) * area.width()

    def step_at(self, x: float, width: float) -> int:
        """The step under a place."""
        return min(max(int(x / width * self.count), 0), self.count - 1)

    def is_turn(self, step: int) -> bool:
        """Whether a strength at this step differs from the step before, with the same expert."""
        if not 0 < step < self.fresh:
            return False
        before, here = self.steps[step - 1], self.steps[step]
        return before.expert == here.expert and before.strengths != here.strengths

    def describe(self, step: int) -> str:
        """A step in words, then a line per LoRA: "step 9 of 20 · σ 0.812 · LOW noise · 0.74 s"."""
        if not 0 <= step < self.done:
            return ""
        event = self.steps[step]
        noise = f" · {NOISE[event.expert]}" if self.experts else ""
        time = "reused" if event.is_reused else f"{event.seconds:.2f} s"
        said = f"step {step + 1} of {event.steps} · σ {event.sigma:.3f}{noise} · {time}"
        return "\n".join((said, *self.strengths(step)))

    def strengths(self, step: int) -> tuple[str, ...]:
        """What was played at a step: "halo 0.80"."""
        if not 0 <= step < self.done:
            return ()
        return tuple(f"{self._name_of(name)} {value:.2f}" for name, value in self.steps[step].strengths)


def _border(take: Take) -> float | None:
    """The sigma where the experts of a run change over, if it has two."""
    return Sampling.of(take.recipe).border(take.started.sigmas, take.model.boundary)
