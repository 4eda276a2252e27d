"""The sigmas of a run and whose steps they are."""

from dataclasses import dataclass

from catalog.experts import Expert

TRAIN_STEPS = 1000
"""Timesteps go from here to 0 as sigmas go from 1 to 0, in every Wan."""


@dataclass(frozen=True, slots=True)
class SigmaAxis:
    """Sigma and expert of every step, and the sigma where the experts change over, if there are two."""

    sigmas: tuple[float, ...]
    experts: tuple[Expert, ...]
    boundary: float | None = None

    @property
    def steps(self) -> int:
        """How many steps the run has."""
        return len(self.sigmas)

    @property
    def border(self) -> int:
        """The first step of the low-noise expert; the number of steps where it has none."""
        return next((i for i, expert in enumerate(self.experts) if expert == "low"), self.steps)

    def zone(self, expert: Expert) -> tuple[float, float]:
        """The least and the most sigma that an expert can be asked for."""
        if self.boundary is None:
            return 0.0, 1.0
        return (self.boundary, 1.0) if expert == "high" else (0.0, self.boundary)

    def steps_of(self, expert: Expert) -> tuple[int, ...]:
        """The steps that an expert makes."""
        return tuple(i for i, own in enumerate(self.experts) if own == expert)
