"""A recipe: all that is needed to make a clip again, as JSON version 1."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from catalog import computing, guidance, inputs
from catalog.computing import Computing
from catalog.curve import BadCurve, Curve, from_json, to_json
from catalog.errors import BadRecipe
from catalog.guidance import Guidance, HalfGuidance
from catalog.inputs import NOTHING, Inputs
from catalog.recipe_checks import (
    MOST_STEPS,
    boundary,
    cut,
    file,
    number,
    scheduler,
    sha256,
    shown,
    sigmas,
    strength,
    text,
    whole,
    wrong,
)
from catalog.sampling import check_sampling

__all__ = [
    "Guidance",
    "HalfGuidance",
    "Inputs",
    "LoraUse",
    "Recipe",
    "check_fields",
    "check_steps",
    "dumps",
    "loads",
    "playable",
]

VERSION = 1
MOST_BYTES = 10_000_000
MOST_SEED = 2**63 - 1
COVERAGE = "coverage"
GRID = "grid"
"""The field in which a grid's recipe says what its axes are; it changes nothing about a single clip."""


@dataclass(frozen=True, slots=True)
class LoraUse:
    """One LoRA of a recipe: which file, and how strongly on each expert.

    `per_step` (one strength per step) wins where it is not empty, then an expert's curve over its strength.
    `sha256` is "" when unknown. `extra` keeps fields we do not know; in a finished clip's recipe it also has
    a `coverage`, which says how much of the file applied and changes nothing.
    """

    file: str
    high: float = 1.0
    low: float = 1.0
    per_step: tuple[float, ...] = ()
    sha256: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict, compare=False)
    high_curve: Curve | None = None
    low_curve: Curve | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """Settings of one clip; None means the model's default. `extra` keeps fields we do not know.

    `half_guidance` says one expert's guidance where `guidance` is None. `accelerator` is the id of the profile that set some of the others; those are what counts.
    """

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
    half_guidance: HalfGuidance | None = None
    shift: float | None = None
    scheduler: str | None = None
    sigmas: tuple[float, ...] | None = None
    boundary: float | None = None
    boundary_step: int | None = None
    accelerator: str | None = None
    inputs: Inputs = NOTHING
    computing: Computing | None = None
    loras: tuple[LoraUse, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict, compare=False)


def loads(text: str | bytes) -> Recipe:
    """The recipe in a JSON text; BadRecipe names the wrong field and says what is allowed."""
    if len(text) > MOST_BYTES:
        raise BadRecipe(f"The recipe is too large: at most {MOST_BYTES // 1_000_000} MB are allowed.")
    try:
        values = json.loads(text, object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError) as error:
        raise BadRecipe(f"The recipe is not valid JSON{_place(error)}.") from error
    if not isinstance(values, dict):
        raise BadRecipe('The recipe must be a JSON object: {"version": 1, …}.')
    return _recipe(values)


def dumps(recipe: Recipe, indent: int | None = 2) -> str:
    """The recipe as JSON; `loads` gives an equal recipe back."""
    values: dict[str, Any] = {"version": VERSION}
    for name in _FIELDS:
        values[name] = getattr(recipe, name)
    if said := recipe.guidance or recipe.half_guidance:
        values["guidance"] = guidance.to_json(said)
    values["inputs"] = inputs.to_json(recipe.inputs)
    values["loras"] = [_dump_use(use) for use in recipe.loras]
    if not values["inputs"]:
        del values["inputs"]
    if recipe.computing is None:
        del values["computing"]
    else:
        values["computing"] = computing.to_json(recipe.computing)
    return json.dumps({**values, **recipe.extra}, indent=indent, ensure_ascii=False, allow_nan=False)


def unknown_fields(recipe: Recipe) -> tuple[str, ...]:
    """The names of the fields that were kept without being understood."""
    names = ((i, name) for i, use in enumerate(recipe.loras) for name in use.extra if name != COVERAGE)
    nested = (f"loras[{i}].{name}" for i, name in names)
    return (*(name for name in recipe.extra if name != GRID), *nested)


def _dump_use(use: LoraUse) -> dict[str, Any]:
    values: dict[str, Any] = {"file": use.file}
    if use.high == use.low:
        values["strength"] = use.high
    else:
        values |= {"high": use.high, "low": use.low}
    if use.per_step:
        values["per_step"] = list(use.per_step)
    if use.sha256:
        values["sha256"] = use.sha256
    curves = {"high": use.high_curve, "low": use.low_curve}
    if said := {expert: to_json(curve) for expert, curve in curves.items() if curve is not None}:
        values["curves"] = said
    return {**values, **use.extra}


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise BadRecipe(f"The field “{name}” occurs twice.")
        found[name] = value
    return found


def _place(error: Exception) -> str:
    return f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""


def _recipe(values: dict[str, Any]) -> Recipe:
    version = values.pop("version", None)
    if version != VERSION or isinstance(version, (bool, float)):
        said = "is missing" if version is None else f"is {shown(version)}"
        raise BadRecipe(f"“version” {said}; only recipes of version {VERSION} can be read.")
    known = {name: values.pop(name) for name in _FIELDS if name in values}
    read = {name: _CHECKS[name](name, value) for name, value in known.items() if value is not None}
    if isinstance(half := read.get("guidance"), HalfGuidance):
        read |= {"guidance": None, "half_guidance": half}
    uses = values.pop("loras", None)
    if not isinstance(uses, (list, type(None))):
        raise wrong("loras", uses, "a list of objects with a “file”")
    loras = tuple(_use(f"loras[{i}]", use) for i, use in enumerate(uses or ()))
    recipe = Recipe(**read, loras=loras, extra=_extra("", values))
    check_steps(recipe)
    return recipe


def check_steps(recipe: Recipe) -> None:
    """Refuses a `per_step` that has not one strength for each step, and sigmas or a boundary that do not fit."""
    check_sampling(recipe.steps, recipe.sigmas, recipe.boundary, recipe.boundary_step)
    for i, use in enumerate(recipe.loras):
        if use.per_step and recipe.steps is not None and len(use.per_step) != recipe.steps:
            raise BadRecipe(
                f"“loras[{i}].per_step” has {len(use.per_step)} values; "
                f"it must have as many as “steps” ({recipe.steps})."
            )


def playable(recipe: Recipe) -> Recipe:
    """Without strengths per step that were written for another number of steps: nobody plays them."""
    loras = tuple(
        use if recipe.steps in (None, len(use.per_step)) else replace(use, per_step=())
        for use in recipe.loras
    )
    return replace(recipe, loras=loras)


def _use(name: str, values: Any) -> LoraUse:
    if not isinstance(values, dict):
        raise wrong(name, values, "an object with a “file”")
    values = dict(values)
    lora = file(f"{name}.file", values.pop("file", None))
    both = values.pop("strength", None)
    high, low = values.pop("high", None), values.pop("low", None)
    if both is not None and (high is not None or low is not None):
        raise BadRecipe(f"“{name}” has “strength” and “high” or “low”; only one of the two is allowed.")
    if both is not None:
        high = low = strength(f"{name}.strength", both)
    per_step = values.pop("per_step", None)
    if not isinstance(per_step, (list, type(None))) or len(per_step or ()) > MOST_STEPS:
        raise wrong(f"{name}.per_step", per_step, f"a list of at most {MOST_STEPS} numbers")
    high_curve, low_curve = _curves(f"{name}.curves", values.pop("curves", None))
    return LoraUse(
        lora,
        1.0 if high is None else strength(f"{name}.high", high),
        1.0 if low is None else strength(f"{name}.low", low),
        tuple(strength(f"{name}.per_step[{i}]", value) for i, value in enumerate(per_step or ())),
        sha256(f"{name}.sha256", values.pop("sha256", None)),
        _extra(f"{name}.", values),
        high_curve,
        low_curve,
    )


def _curves(name: str, values: Any) -> tuple[Curve | None, Curve | None]:
    """The curves of both experts; one that is not there is None."""
    if not isinstance(values, (dict, type(None))) or set(values or {}) - {"high", "low"}:
        raise wrong(name, values, "an object with “high”, “low” or both")
    high, low = (_curve(f"{name}.{expert}", (values or {}).get(expert)) for expert in ("high", "low"))
    return high, low


def _curve(name: str, value: Any) -> Curve | None:
    try:
        return None if value is None else from_json(value)
    except BadCurve as error:
        raise BadRecipe(f"“{name}” is wrong: {error}") from error


def _extra(where: str, values: dict[str, Any]) -> dict[str, Any]:
    """The fields left over, unless they could not be written again."""
    for name, value in values.items():
        try:
            json.dumps({name: value}, allow_nan=False, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            raise BadRecipe(f"“{where}{cut(name)}” holds a value that JSON does not allow.") from error
    return values


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "model": text,
    "prompt": text,
    "negative_prompt": text,
    "width": whole(1, 1 << 16),
    "height": whole(1, 1 << 16),
    "frames": whole(1, 1 << 16),
    "fps": whole(1, 240),
    "steps": whole(1, MOST_STEPS),
    "seed": whole(0, MOST_SEED),
    "guidance": guidance.from_json,
    "shift": number(0, 1000, is_open=True),
    "scheduler": scheduler,
    "sigmas": sigmas,
    "boundary": boundary,
    "boundary_step": whole(1, MOST_STEPS - 1),
    "accelerator": text,
    "inputs": inputs.from_json,
    "computing": computing.from_json,
}
_FIELDS = tuple(f.name for f in fields(Recipe) if f.name not in ("half_guidance", "loras", "extra"))


def check_fields(recipe: Recipe) -> None:
    """Refuses a recipe, however it was made, that `loads` would refuse."""
    loads(_dump_or_refuse(recipe))


def _dump_or_refuse(recipe: Recipe) -> str:
    try:
        return dumps(recipe, indent=None)
    except (ValueError, TypeError) as error:
        raise BadRecipe(
            "The recipe holds a number that is not finite, or something that is no setting."
        ) from error
