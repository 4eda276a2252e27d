"""What changes along one side of a grid: a LoRA's strength, or the seed."""

from dataclasses import dataclass
from typing import Literal

from catalog.models import Expert

Part = Literal["high", "low", "both"]
_PARTS: dict[Part, tuple[Expert, ...]] = {"high": ("high",), "low": ("low",), "both": ("high", "low")}


@dataclass(frozen=True, slots=True)
class StrengthAxis:
    """Strengths of the adapter `adapter`, which is called `name`, on one expert or on both."""

    adapter: str
    name: str
    part: Part
    values: tuple[float, ...]

    @property
    def experts(self) -> tuple[Expert, ...]:
        """The experts whose strength it sets."""
        return _PARTS[self.part]

    @property
    def title(self) -> str:
        """What it is, in a few words."""
        return fader_name(self.name, self.part)

    @property
    def labels(self) -> tuple[str, ...]:
        """Every value in digits, with two decimals or as many as it takes."""
        return tuple(_digits(value) for value in self.values)


@dataclass(frozen=True, slots=True)
class SeedAxis:
    """The same clip from other noise."""

    values: tuple[int, ...]

    @property
    def title(self) -> str:
        """What it is, in a word."""
        return "Seed"

    @property
    def labels(self) -> tuple[str, ...]:
        """Every seed in digits."""
        return tuple(map(str, self.values))


Axis = StrengthAxis | SeedAxis


def fader_name(name: str, part: Part) -> str:
    """A LoRA's name, with the expert where only that one's fader is meant."""
    return name if part == "both" else f"{name} · {part.upper()}"


def _digits(value: float) -> str:
    whole, _, decimals = f"{abs(value):.4f}".partition(".")
    return f"{'−' if value < 0 else ''}{whole}.{decimals.rstrip('0'):0<2}"
