"""The alphas that a file's metadata states in PEFT's own settings, which diffusers writes instead of alpha tensors."""

import json
import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.experts import Expert
from catalog.plain_text import short_name

# patterns come from files of unknown origin: none may take long to match, nor may many that take a little;
# groups in a row or under a repetition may take time that doubles with each
_PLAIN = re.compile(r"[^*+?{}()]*")
_QUICK = re.compile(r"[^*+?{}()]*(?:(?:[*+?][^*+?{}()]*){0,2}|\([^*+?{}()]*\)[^*+?{}()]*)")
_KEY = "lora_adapter_metadata"
_LONGEST, _MOST, _MOST_QUICK = 256, 2000, 100
HUGE_ALPHA = 1e9
"""A scale that nobody means: trainers of LoKr write such an alpha where it has no meaning."""


@dataclass(frozen=True, slots=True)
class StatedAlpha:
    """The alpha of one layer; `is_rslora` when it is divided by the root of the rank rather than the rank."""

    value: float
    is_rslora: bool

    def scale(self, rank: int) -> float:
        """What a pair of that rank is multiplied by."""
        return self.value / (math.sqrt(rank) if self.is_rslora else rank)


def stated_alphas(
    metadata: Mapping[str, str], layers: Collection[tuple[Expert | None, str]]
) -> tuple[StatedAlpha, ...]:
    """One for each of the layers (the expert that its tensors name, and its module) that has one stated."""
    rules = {expert: alpha_rules(metadata, expert) for expert in {expert for expert, _ in layers}}
    found = (rules[expert].of_layer(module) for expert, module in layers)
    return tuple(alpha for alpha in found if alpha)


@dataclass(frozen=True, slots=True)
class AlphaRules:
    """PEFT's: the first pattern that matches the end of a module's name, else the alpha of all.

    `problem` is one sentence when there is something that cannot be read or trusted, which is passed over:
    what it would say of a layer is then not known.
    """

    patterns: tuple[tuple[re.Pattern[str], Any], ...] = ()
    default: Any = None
    is_rslora: bool = False
    problem: str = ""

    def of_layer(self, module: str) -> StatedAlpha | None:
        """The alpha of a layer without an alpha of its own; None where none, or no usable number, is stated."""
        fitting = (value for pattern, value in self.patterns if pattern.match(module))
        value = next(fitting, self.default)
        return StatedAlpha(float(value), self.is_rslora) if _is_alpha(value) else None


NO_RULES = AlphaRules()


def alpha_rules(metadata: Mapping[str, str], expert: Expert | None) -> AlphaRules:
    """The rules for the layers of one expert, or for those that name none."""
    settings = _component(_stored(metadata), expert)
    stated = settings.get("alpha_pattern") or {}
    patterns = list(stated.items()) if isinstance(stated, dict) else []
    allowed = _QUICK if len(patterns) <= _MOST_QUICK else _PLAIN
    compiled = [(pattern, _compiled(pattern, allowed), value) for pattern, value in patterns[:_MOST]]
    return AlphaRules(
        tuple((known, value) for _, known, value in compiled if known),
        settings.get("lora_alpha"),
        bool(settings.get("use_rslora")),
        _unread(metadata)
        or _no_number([settings.get("lora_alpha"), *(value for *_, value in compiled)], stated)
        or _problem([pattern for pattern, known, _ in compiled if not known], len(patterns)),
    )


def scale_problem(metadata: Mapping[str, str], experts: Iterable[Expert | None]) -> str:
    """Why it is not known how strong layers without an alpha of their own are, "" when it is; `experts` are
    those that such layers name."""
    return next(filter(None, (alpha_rules(metadata, expert).problem for expert in experts)), "")


def _is_alpha(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < HUGE_ALPHA


def _unread(metadata: Mapping[str, str]) -> str:
    if _stored(metadata) or metadata.get(_KEY, "").strip() in ("", "{}", "null"):
        return ""
    return f"Its metadata ({_KEY}) cannot be read, so the scale of its layers is not known."


def _no_number(values: Iterable[Any], patterns: Any) -> str:
    wrong = [value for value in values if value is not None and not _is_alpha(value)]
    if not wrong and isinstance(patterns, dict):
        return ""
    shown = short_name(json.dumps(wrong[0] if wrong else patterns))
    return f"Its metadata states the alpha {shown}, which is no number to use."


def _problem(unread: list[str], count: int) -> str:
    if unread:
        shown = unread[0][:60]
        return f"Its alpha_pattern “{shown}” cannot be read safely, so the scale of its layers is not known."
    if count > _MOST:
        return f"Its alpha_pattern has {count:,} entries, too many to be read safely."
    return ""


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
        stored = json.loads(metadata.get(_KEY, "") or "{}")
    except (ValueError, RecursionError):
        return {}
    return stored if isinstance(stored, dict) else {}
