"""How far a run is and how long it still takes."""

from collections import deque
from dataclasses import dataclass
from statistics import median

from catalog.models import Expert
from engine.messages import StepFinished

_REMEMBERED = 8


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands after its newest step; `done` counts finished steps."""

    done: int
    steps: int
    sigma: float
    expert: Expert
    seconds_per_step: float
    seconds_left: float


class Pace:
    """Follows the steps of one run; the median of the last ones ignores a slow first step or a hiccup."""

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=_REMEMBERED)

    def after(self, event: StepFinished) -> Progress:
        """Where the run stands now that this step is done."""
        self._seconds.append(event.seconds)
        each = median(self._seconds)
        done = event.step + 1
        return Progress(done, event.steps, event.sigma, event.expert, each, each * (event.steps - done))
