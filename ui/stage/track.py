"""The steps of a run laid out along a line, and what can be said about each."""

from PySide6.QtCore import QRectF

from catalog.models import Expert
from ui.stage.captions import NOISE
from ui.state.run import RunState

TOP, CELL = 4, 32


class Track:
    """Where each step's cell is on a line of some width, whose step it is, and where the experts meet."""

    def __init__(self, run_state: RunState) -> None:
        self._run_state = run_state

    @property
    def done(self) -> int:
        """How many steps were finished."""
        return len(self._run_state.steps)

    @property
    def count(self) -> int:
        """How many cells there are: the run's steps, or before it those of the settings."""
        started = self._run_state.run_started
        return len(started.experts) if started else self._run_state.settings.steps

    @property
    def experts(self) -> tuple[Expert, ...]:
        """Whose step each is; empty before the first run and where there is only one."""
        started = self._run_state.run_started
        return started.experts if started and len(self._run_state.model.experts) > 1 else ()

    @property
    def boundary(self) -> int | None:
        """The first step of the second expert, if both have work."""
        experts = self.experts
        return experts.index("low") if "low" in experts and experts[0] == "high" else None

    @property
    def boundary_text(self) -> str:
        """The noise level at which the experts change over."""
        sigma = self._run_state.model.boundary
        return f"boundary σ {sigma:.3f}" if sigma is not None else ""

    @property
    def ends(self) -> tuple[str, str]:
        """The noise levels of the first and the last step, or before a run how many there will be."""
        started = self._run_state.run_started
        if started is None:
            return (f"{self.count} steps" if self.count > 1 else "1 step"), ""
        return f"σ {started.sigmas[0]:.2f}", f"σ {started.sigmas[-1]:.2f}"

    def cell(self, step: int, width: float) -> QRectF:
        """Where a step's cell is."""
        gap = 3.0 if width / self.count >= 12 else 1.0
        each = (width + gap) / self.count
        return QRectF(step * each, TOP, each - gap, CELL)

    def step_at(self, x: float, width: float) -> int:
        """The step under a place."""
        return min(max(int(x / width * self.count), 0), self.count - 1)

    def describe(self, step: int) -> str:
        """A step in words: "step 9 of 20 · σ 0.812 · LOW noise · 0.74 s"."""
        if step >= self.done:
            return ""
        event = self._run_state.steps[step]
        noise = f" · {NOISE[event.expert]}" if self.experts else ""
        return f"step {step + 1} of {event.steps} · σ {event.sigma:.3f}{noise} · {event.seconds:.2f} s"
