"""Classifier-free guidance of both experts, or of one while the model has the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from catalog.curve import MOST_STRENGTH
from catalog.recipe_checks import number, wrong

if TYPE_CHECKING:
    from catalog.models import Expert, ModelInfo

_CHECK = number(0, MOST_STRENGTH)


@dataclass(frozen=True, slots=True)
class Guidance:
    """Classifier-free guidance per expert; 1 turns it off."""

    high: float
    low: float


@dataclass(frozen=True, slots=True)
class HalfGuidance:
    """One expert's guidance; the other's is the model's own."""

    expert: Expert
    value: float


def from_json(name: str, value: Any) -> Guidance | HalfGuidance:
    """What {"high": 4, "low": 3}, one of the two, or a number for both says. Raises BadRecipe."""
    if type(value) in (int, float):
        both = _CHECK(name, value)
        return Guidance(both, both)
    known = {"high", "low"}
    said = {key: one for key, one in value.items() if one is not None} if isinstance(value, dict) else {}
    if not said or set(value) - known:
        raise wrong(name, value, "a number for both experts, or an object with “high”, “low” or both")
    checked = {key: _CHECK(f"{name}.{key}", one) for key, one in said.items()}
    if len(checked) == 2:
        return Guidance(**checked)
    ((expert, one),) = checked.items()
    return HalfGuidance(expert, one)


def to_json(guidance: Guidance | HalfGuidance) -> dict[str, float]:
    """The object that `from_json` reads."""
    if isinstance(guidance, HalfGuidance):
        return {guidance.expert: guidance.value}
    return {"high": guidance.high, "low": guidance.low}


def whole(said: Guidance | HalfGuidance | None, model: ModelInfo) -> Guidance:
    """Both numbers, the model's own for what is not said; a model of one expert has the same twice."""
    own = Guidance(model.defaults.guidance_high, model.defaults.guidance_low)
    if len(model.experts) == 1:
        one = said.value if isinstance(said, HalfGuidance) else (said or own).high
        return Guidance(one, one)
    if isinstance(said, HalfGuidance):
        is_high = said.expert == "high"
        return Guidance(said.value if is_high else own.high, own.low if is_high else said.value)
    return said or own
