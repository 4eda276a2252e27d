"""How far a run is and how long it still takes."""

from collections import deque
from dataclasses import dataclass

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
    """Follows the steps of one run; the median of the last ones ignores a slow first step or a hiccup.

    Steps that were taken over say nothing about the speed; until one is made, that of the run before holds.
    """

    def __init__(self, before: float = 0.0) -> None:
        self._before = before
        self._seconds: deque[float] = deque(maxlen=_REMEMBERED)

    def after(self, event: StepFinished) -> Progress:
        """Where the run stands now that this step is done."""
        from statistics import median  # a library of some size, which no window waits for

        if not event.is_reused:
            self._seconds.append(event.seconds)
        each = median(self._seconds) if self._seconds else self._before
        done = event.step + 1
        return Progress(done, event.steps, event.sigma, event.expert, each, each * (event.steps - done))
