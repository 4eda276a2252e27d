"""A recipe: all that is needed to make a clip again, as JSON version 1."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

VERSION = 1


@dataclass(frozen=True, slots=True)
class Guidance:
    """Classifier-free guidance per expert; 1 turns it off."""

    high: float
    low: float


@dataclass(frozen=True, slots=True)
class LoraUse:
    """One LoRA of a recipe: which file, and how strongly on each expert.

    `per_step` (one strength per step) wins where it is not empty. `sha256` is "" when unknown.
    """

    file: str
    high: float = 1.0
    low: float = 1.0
    per_step: tuple[float, ...] = ()
    sha256: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Settings of one clip; None means the model's default. `extra` keeps fields we do not know."""

    model: str = "demo"
    prompt: str = ""
    negative_prompt: str | None = None
    width: int | None = None
    height: int | None = None
    frames: int | None = None
    fps: int | None = None
    steps: int | None = None
    seed: int | None = None
    guidance: Guidance | None = None
    shift: float | None = None
    scheduler: str | None = None
    loras: tuple[LoraUse, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict, compare=False)
