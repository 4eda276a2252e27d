"""Kept steps: where runs stood and what made each step, so that others can go on from there bit for bit."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import itemgetter

from torch import Tensor

from catalog.computing import Computing, as_text
from catalog.models import Expert
from catalog.recipe import Recipe
from engine.errors import CannotContinue
from engine.inference.schedule import State
from engine.messages import Frames

Tones = tuple[tuple[str, float], ...]
"""The adapters that play, by the SHA-256 of their content and in its order."""
MOST_RUNS = 256


@dataclass(frozen=True, slots=True)
class Key:
    """All that every step of a run depends on; `machine` says what computes, and `computing` how.

    The boundary is not here: it only says whose step each is, which is in the step's `Cause`.
    """

    model: str
    machine: str
    prompt: str
    seed: int
    shape: tuple[int, ...]
    steps: int
    shift: float
    scheduler: str | None
    pictures: str = ""
    sigmas: tuple[float, ...] | None = None
    computing: str = as_text(Computing())


@dataclass(frozen=True, slots=True)
class Cause:
    """All that one step depends on besides the key and the steps before it.

    `negative` is None where guidance is 1, since nobody reads it then; adapters at strength 0 are no `tones`.
    """

    expert: Expert
    guidance: float
    negative: str | None
    tones: Tones


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """A step that was taken, its preview, and its meters by the adapters' content, where they are kept."""

    cause: Cause
    preview: Frames
    meters: Tones = ()

    @property
    def nbytes(self) -> int:
        """Bytes of host memory."""
        return self.preview.nbytes


@dataclass(frozen=True, eq=False)
class Point:
    """A run before step `step`: its latents and the scheduler's state, on the host."""

    step: int
    latents: Tensor
    state: State

    @cached_property
    def nbytes(self) -> int:
        """Bytes of host memory."""
        return sum(tensor.nbytes for tensor in tensors_in([self.latents, *self.state.values()]))


def tensors_in(values: Sequence[object]) -> Iterator[Tensor]:
    """The tensors among values and lists of values."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list):
            yield from tensors_in(value)


@dataclass(slots=True, eq=False)
class Trajectory:
    """One run's steps so far, and its points by step: every `stride`-th, the boundary's and the last.

    `recipe` holds the settings; `files` are the paths of the adapters that played, by SHA-256.
    """

    key: Key
    recipe: Recipe
    boundary: int | None = None
    taken: list[Taken] = field(default_factory=list)
    points: dict[int, Point] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    stride: int = 1

    def up_to(self, step: int) -> "Trajectory":
        """The steps before `step` as the beginning of another run, which shares what is kept of them."""
        points = {at: point for at, point in self.points.items() if at <= step}
        taken, files = self.taken[:step], dict(self.files)
        return Trajectory(self.key, self.recipe, self.boundary, taken, points, files, self.stride)

    def add(self, point: Point) -> None:
        """Keep a point behind all others."""
        self.points[point.step] = point
        self._drop()

    def thin(self) -> bool:
        """Keep half as many points; False when only those are left that are always kept."""
        if self.stride > self.key.steps:
            return False
        self.stride *= 2
        self._drop()
        return True

    def last(self, step: int, among: Collection[int | None] | None = None) -> Point | None:
        """The last kept point up to `step`, among those steps if they are given."""
        kept = (p for p in self.points.values() if p.step <= step and (among is None or p.step in among))
        return max(kept, key=lambda p: p.step, default=None)

    def common(self, causes: Sequence[Cause]) -> int:
        """How many of the first steps had these causes."""
        pairs = zip(self.taken, causes, strict=False)
        return next((i for i, (t, c) in enumerate(pairs) if t.cause != c), min(len(self.taken), len(causes)))

    def items(self) -> Iterator[Taken | Point]:
        """All that takes memory."""
        yield from self.taken
        yield from self.points.values()

    def _drop(self) -> None:
        always = {self.boundary, max(self.points, default=0)}
        for step in [s for s in self.points if s % self.stride and s not in always]:
            del self.points[step]


class Trajectories:
    """What is kept of recent runs, within a budget in bytes.

    Beyond it the oldest run loses every other point, again and again, then all; the newest run always
    keeps its last point and the one at the boundary.
    """

    def __init__(self) -> None:
        self._runs: dict[int, Trajectory] = {}
        self._budget = 0

    def __getitem__(self, run: int) -> Trajectory:
        """The steps of a run. Raises CannotContinue when they are gone."""
        if run not in self._runs:
            raise CannotContinue("The steps of that clip are no longer kept.")
        return self._runs[run]

    @property
    def nbytes(self) -> int:
        """Bytes of host memory; what runs share counts once."""
        kept = {id(item): item.nbytes for trajectory in self._runs.values() for item in trajectory.items()}
        return sum(kept.values())

    def begin(self, run: int, trajectory: Trajectory, budget: int) -> None:
        """Keep a run from now on; a budget of 0 keeps nothing at all."""
        self._budget = budget
        self._runs.pop(run, None)
        if not budget:
            self._runs.clear()
            return
        self._runs[run] = trajectory
        if len(self._runs) > MOST_RUNS:
            self._forget_oldest()
        self.fit()

    def fit(self) -> None:
        """Let go of what is beyond the budget."""
        while self._runs and self.nbytes > self._budget:
            if not self._oldest.thin():
                if len(self._runs) == 1:
                    return
                self._forget_oldest()

    def find(
        self, key: Key, causes: Sequence[Cause], among: Collection[int | None] | None = None
    ) -> Trajectory | None:
        """The steps kept of any run that a run of these causes would take alike, up to a kept point."""
        alike = [(t.last(t.common(causes), among), t) for t in self._runs.values() if t.key == key]
        found = [(point.step, trajectory) for point, trajectory in alike if point]
        if not found:
            return None
        step, trajectory = max(found, key=itemgetter(0))
        return trajectory.up_to(step)

    @property
    def _oldest(self) -> Trajectory:
        return next(iter(self._runs.values()))

    def _forget_oldest(self) -> None:
        del self._runs[next(iter(self._runs))]
