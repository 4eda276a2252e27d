"""One audition as a value that grows: its frozen recipe and mix, its clips, its verdict."""

from dataclasses import dataclass, field, replace
from typing import Literal

from catalog.recipe import Recipe
from engine.messages import Mix, RunFinished, Strip
from engine.verdict import NUDGE, Verdict
from ui.state.strip import StripState

Side = Literal["with", "without", "noise"]
_DOING: dict[Side, str] = {
    "with": "rendering with {name}",
    "without": "rendering without {name}",
    "noise": "measuring the noise floor",
}


@dataclass(slots=True, eq=False)
class Trial:
    """One audition as far as it has come; its own recipe and mix, whatever happens on the desk."""

    strip: StripState
    recipe: Recipe
    mix: Mix
    fps: float
    side: Side = "with"
    run: int | None = None
    step: int = 0
    steps: int = 0
    strengths: list[float] = field(default_factory=list)
    clips: dict[Side, RunFinished] = field(default_factory=dict)
    verdict: Verdict | None = None

    @property
    def words(self) -> str:
        """What is being done, with the step; nothing when all is done."""
        if self.verdict is not None:
            return ""
        if self.run is None:
            return "Measuring the difference…"
        if not self.steps:
            return "Waiting for the engine…"
        doing = _DOING[self.side].format(name=self.strip.name)
        return f"Step {self.step} of {self.steps}: {doing}"  # a long name is cut short at its end

    def mix_of(self, side: Side) -> Mix:
        """What plays on one side: the desk, the desk with the strip muted, or a hair stronger."""
        played = next(strip for strip in self.mix.strips if strip.adapter == self.strip.id)
        other = {
            "with": played,
            "without": Strip(self.strip.id, 0.0, 0.0),
            "noise": replace(played, per_step=tuple(s * (1 + NUDGE) for s in self.strengths)),
        }[side]
        return replace(self.mix, strips=tuple(other if s is played else s for s in self.mix.strips))

    @property
    def is_same(self) -> bool:
        """Whether the clips of both sides are equal bit for bit."""
        import numpy as np  # by now it is there; the window's start does not wait for it

        one, other = self.clips["with"], self.clips["without"]
        return np.array_equal(one.frames, other.frames) and (
            one.latents is None or other.latents is None or np.array_equal(one.latents, other.latents)
        )
