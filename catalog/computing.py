"""How a clip is computed: what may change its speed and its last digits, but not what is asked for."""

import json
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from catalog.recipe_checks import number, wrong

Way = Literal["auto", "exact", "fast"]
"""exact: added to the layers' outputs. fast: added to a copy of the weight, for one forward. auto: by cost."""
Attention = Literal["auto", "sdpa", "cudnn", "flash", "flash3", "sage", "xformers", "math"]
"""Who computes attention; auto is sdpa, PyTorch's own, which picks a kernel that suits the device."""

THRESHOLD = 0.1
_FIELDS = {"way", "attention", "compile", "cache"}


@dataclass(frozen=True, slots=True)
class FirstBlock:
    """Skip all blocks but the first in a step where that one answers nearly as it did before.

    `threshold` is the mean change of its answer, relative to the answer, below which a step is skipped.
    """

    threshold: float = THRESHOLD


@dataclass(frozen=True, slots=True)
class Computing:
    """How adapters are applied, who computes attention, whether blocks are compiled, what steps may skip."""

    way: Way = "auto"
    attention: Attention = "auto"
    compile: bool = False
    cache: FirstBlock | None = None

    @property
    def named(self) -> "Computing":
        """The same with everything named that “auto” stands for.

        Compiled blocks hold their adapters in their weights. The way alone may stay “auto”: it is then chosen
        for each layer, by rules that depend on nothing but the clip, the adapters and the model.
        """
        attention: Attention = "sdpa" if self.attention == "auto" else self.attention
        way: Way = "fast" if self.compile and self.way == "auto" else self.way
        return replace(self, attention=attention, way=way)


def to_json(computing: Computing) -> dict[str, Any]:
    """As a recipe holds it; `from_json` gives an equal one back."""
    values = {name: getattr(computing, name) for name in ("way", "attention", "compile")}
    cache = computing.cache and {"name": "first_block", "threshold": computing.cache.threshold}
    return {**values, "cache": cache}


def as_text(computing: Computing) -> str:
    """The same text for what is computed alike."""
    return json.dumps(to_json(computing.named), sort_keys=True)


def from_json(name: str, value: Any) -> Computing:
    """What a recipe says; a field that it leaves out is as always. BadRecipe names what is wrong."""
    if not isinstance(value, dict) or set(value) - _FIELDS:
        raise wrong(name, value, f"an object with some of {', '.join(sorted(_FIELDS))}")
    said = {field: each for field, each in value.items() if each is not None}
    compiled = said.get("compile", False)
    if not isinstance(compiled, bool):
        raise wrong(f"{name}.compile", compiled, "true or false")
    return Computing(
        way=_one_of(Way, f"{name}.way", said.get("way", "auto")),
        attention=_one_of(Attention, f"{name}.attention", said.get("attention", "auto")),
        compile=compiled,
        cache=_cache(f"{name}.cache", said.get("cache")),
    )


def _cache(name: str, value: Any) -> FirstBlock | None:
    if value is None:
        return None
    if (
        not isinstance(value, dict)
        or set(value) - {"name", "threshold"}
        or value.get("name") != "first_block"
    ):
        raise wrong(name, value, "null, or an object with “name”: “first_block” and maybe a “threshold”")
    threshold = value.get("threshold")
    check = number(0, 1, is_open=True)
    return FirstBlock(THRESHOLD if threshold is None else check(f"{name}.threshold", threshold))


def _one_of(choices: Any, name: str, value: Any) -> Any:
    allowed = get_args(choices)
    if not isinstance(value, str) or value not in allowed:
        raise wrong(name, value, f"one of {', '.join(allowed)}")
    return value
