"""The alphas that a file's metadata states in PEFT's own settings, which diffusers writes instead of alpha tensors."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.experts import Expert

# patterns come from files of unknown origin: none may take long to match, nor may many that take a little
_PLAIN = re.compile(r"[^*+?{}()]*")
_QUICK = re.compile(r"[^*+?{}()]*(?:[*+?][^*+?{}()]*){0,2}")
_LONGEST, _MOST, _MOST_QUICK = 256, 2000, 100
_HUGE = 1e9


@dataclass(frozen=True, slots=True)
class StatedAlpha:
    """The alpha of one layer; `is_rslora` when it is divided by the root of the rank rather than the rank."""

    value: float
    is_rslora: bool


def stated_alphas(
    metadata: Mapping[str, str], layers: Collection[tuple[Expert | None, str]]
) -> tuple[StatedAlpha, ...]:
    """One for each of the layers (the expert that its tensors name, and its module) that has one stated."""
    stored = _stored(metadata)
    experts = {expert for expert, _ in layers} if stored else set()
    rules = {expert: _Rules.of(_component(stored, expert)) for expert in experts}
    found = (rules[expert].of_layer(module) for expert, module in layers if rules)
    return tuple(alpha for alpha in found if alpha)


@dataclass(frozen=True, slots=True)
class _Rules:
    """PEFT's: the first pattern that matches the end of a module's name, else the alpha of all."""

    patterns: tuple[tuple[re.Pattern[str], Any], ...]
    default: Any
    is_rslora: bool

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "_Rules":
        stated = settings.get("alpha_pattern")
        patterns = list(stated.items())[:_MOST] if isinstance(stated, dict) else []
        allowed = _QUICK if len(patterns) <= _MOST_QUICK else _PLAIN
        compiled = [(_compiled(pattern, allowed), value) for pattern, value in patterns]
        known = tuple((pattern, value) for pattern, value in compiled if pattern)
        return cls(known, settings.get("lora_alpha"), bool(settings.get("use_rslora")))

    def of_layer(self, module: str) -> StatedAlpha | None:
        fitting = (value for pattern, value in self.patterns if pattern.match(module))
        value = next(fitting, self.default)
        is_number = type(value) in (int, float) and abs(value) < _HUGE
        return StatedAlpha(float(value), self.is_rslora) if is_number else None


def _compiled(pattern: str, allowed: re.Pattern[str]) -> re.Pattern[str] | None:
    if len(pattern) > _LONGEST or not allowed.fullmatch(pattern):
        return None
    try:
        return re.compile(rf"(?:.*\.)?(?:{pattern})$")
    except re.error:
        return None


def _component(stored: Mapping[str, Any], expert: Expert | None) -> dict[str, Any]:
    """The settings of the transformer that the layers belong to; in files of other families, of the only part."""
    prefixes = {name.removesuffix("lora_alpha") for name in stored if name.endswith("lora_alpha")}
    prefix = "transformer_2." if expert == "low" else "transformer."
    if len(prefixes) == 1 and not any(other.startswith("transformer") for other in prefixes):
        prefix = prefixes.pop()
    return {name.removeprefix(prefix): value for name, value in stored.items() if name.startswith(prefix)}


def _stored(metadata: Mapping[str, str]) -> dict[str, Any]:
    try:
        stored = json.loads(metadata.get("lora_adapter_metadata", "") or "{}")
    except (ValueError, RecursionError):
        return {}
    return stored if isinstance(stored, dict) else {}
