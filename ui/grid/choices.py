"""What can change along an axis of a grid: the faders that are heard, and the seed."""

from dataclasses import dataclass, field

from catalog.models import Expert
from engine.grid_axis import Part, fader_name
from ui.state.mix import MixState
from ui.state.strip import any_solo


@dataclass(frozen=True, slots=True)
class Choice:
    """A fader, or both of a strip; without an adapter it is the seed."""

    adapter: str | None
    name: str = field(compare=False)
    part: Part = "both"

    @property
    def text(self) -> str:
        """What is offered."""
        return fader_name(self.name, self.part)


SEEDS = Choice(None, "Seed")


def clash(one: Choice | None, other: Choice | None) -> bool:
    """Whether both would move the same fader, or both the seed."""
    if one is None or other is None or one.adapter != other.adapter:
        return False
    return one.part == other.part or "both" in (one.part, other.part)


def choices(mix: MixState) -> tuple[Choice, ...]:
    """The faders of strips that are attached and neither muted nor out of a solo, and the seed."""
    is_any_solo = any_solo(mix.strips)
    found: list[Choice] = []
    for strip in mix.strips:
        said = mix.attachment(strip.id)
        if not strip.is_silent(is_any_solo) and said.coverage is not None:
            found += [Choice(strip.id, strip.name, part) for part in _parts(mix, said.coverage.experts)]
    return (*found, SEEDS)


def _parts(mix: MixState, experts: tuple[Expert, ...]) -> tuple[Part, ...]:
    """The faders of a file that says something to these experts."""
    if len(mix.experts) == 1:
        return ("both",)
    return (*experts, "both") if len(experts) == 2 else tuple(experts)


def at_first(found: tuple[Choice, ...]) -> tuple[Choice | None, Choice | None]:
    """What to begin with, across and down: both faders of the first strip, or else the first two strips."""
    faders = [choice for choice in found if choice.adapter is not None]
    if not faders:
        return SEEDS, None
    own = {choice.part: choice for choice in faders if choice.adapter == faders[0].adapter}
    if "low" in own and "high" in own:
        return own["low"], own["high"]
    others = [choice for choice in faders if choice.adapter != faders[0].adapter]
    return faders[0], (others[0] if others else None)
