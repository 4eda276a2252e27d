"""How a run goes through the noise: its settings as one value, and whose step each is."""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace

from catalog.errors import BadRecipe
from catalog.experts import Expert
from catalog.sigma_axis import TRAIN_STEPS


@dataclass(frozen=True, slots=True)
class Sampling:
    """The settings that decide a run's sigmas and their experts.

    `sigmas` are those of the steps as they are: the shift does not move them. The low-noise expert takes over
    below the sigma `boundary` or with step `boundary_step`; where both are None, below the model's own boundary.
    """

    steps: int
    shift: float
    scheduler: str | None = None
    sigmas: tuple[float, ...] | None = None
    boundary: float | None = None
    boundary_step: int | None = None

    @classmethod
    def of(cls, settings: object) -> "Sampling":
        """What a recipe, or anything with fields of these names, says of it."""
        return cls(**{field.name: getattr(settings, field.name) for field in fields(cls)})

    def agreeing(self, has_two_experts: bool, most_steps: int) -> "Sampling":
        """The nearest settings that go together: sigmas say how many steps there are, one boundary remains."""
        sigmas = self.sigmas if self.sigmas and len(self.sigmas) <= most_steps else None
        steps = len(sigmas) if sigmas else min(max(self.steps, 1), most_steps)
        step = self.boundary_step if has_two_experts and steps > 1 else None
        return replace(
            self,
            steps=steps,
            sigmas=sigmas,
            boundary=self.boundary if has_two_experts and step is None else None,
            boundary_step=None if step is None else min(max(step, 1), steps - 1),
        )

    def experts(self, timesteps: Iterable[float], own: float | None) -> tuple[Expert, ...]:
        """The expert of every step; `own` is the model's boundary, None where it has one expert."""
        if own is None:
            return tuple("high" for _ in timesteps)
        if self.boundary_step is not None:
            return tuple("high" if i < self.boundary_step else "low" for i, _ in enumerate(timesteps))
        least = _single((own if self.boundary is None else self.boundary) * TRAIN_STEPS)
        return tuple("high" if timestep >= least else "low" for timestep in timesteps)

    def border(self, sigmas: Sequence[float], own: float | None) -> float | None:
        """The sigma where the experts change over, between two steps where a step says it."""
        if own is None or (self.boundary is None and self.boundary_step is None):
            return own
        if self.boundary_step is None or not 0 < self.boundary_step < len(sigmas):
            return own if self.boundary is None else self.boundary
        return (sigmas[self.boundary_step - 1] + sigmas[self.boundary_step]) / 2


def check_sampling(
    steps: int | None, sigmas: Sequence[float] | None, boundary: float | None, boundary_step: int | None
) -> None:
    """Refuses settings that do not go together; BadRecipe names the field and what is allowed."""
    if sigmas is not None and steps is not None and len(sigmas) != steps:
        raise BadRecipe(
            f"“sigmas” has {len(sigmas)} values; it must have as many as “steps” ({steps}), or be null."
        )
    if boundary is not None and boundary_step is not None:
        raise BadRecipe("“boundary” and “boundary_step” are both given; only one of the two is allowed.")
    if boundary_step is not None and steps is not None and boundary_step >= steps:
        raise BadRecipe(f"“boundary_step” is {boundary_step}; it must be less than “steps” ({steps}).")


def _single(value: float) -> float:
    """In single precision, as torch compares."""
    nearest: float = struct.unpack("f", struct.pack("f", value))[0]
    return nearest
