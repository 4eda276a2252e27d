"""How much of a LoRA file applies to a model: every tensor of it is applied, explained, or in error."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from catalog.families import WAN_BY_WIDTH, other_family
from catalog.fit import Fit, fit
from catalog.header import Header
from catalog.inventory import Inventory
from catalog.key_styles import TEXT_ENCODER, ParsedKey, module_of, parse_keys
from catalog.models import Expert

Slot = tuple[Expert | None, str]
"""A module, and the expert that the file means it for; None is every expert."""


@dataclass(frozen=True, slots=True)
class Share:
    """How much of one block, or of one kind of layer, applies: `applied` of the file's `of` modules."""

    name: str
    applied: int
    of: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a LoRA file applies to a model: `modules` of the `of` modules that the file speaks of.

    `of` counts those ignored and those in error, but not a text encoder's. `experts` are those it plays on;
    `ignored` holds (key, reason) for every key that does nothing here, `errors` (module, sentence) for every
    module that cannot be applied. `blocks` and `layers` share out all modules: by block ("blocks.0", …,
    "vace_blocks.0", …, "other") and by kind of layer ("attn1.to_q", …, "head").
    """

    modules: int
    of: int
    experts: tuple[Expert, ...]
    ignored: tuple[tuple[str, str], ...] = ()
    errors: tuple[tuple[str, str], ...] = ()
    blocks: tuple[Share, ...] = ()
    layers: tuple[Share, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cover:
    """A file laid over a model. `refusal` is one sentence why none of it can be used here, "" when it can.

    `applied` leads from expert (None: all) and module to the keys that apply, by canonical part.
    """

    coverage: Coverage
    refusal: str
    applied: Mapping[Slot, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class _File:
    """The keys of a file by layer and part; those of no layer, (key, reason) each; keys said twice."""

    layers: Mapping[Slot, Mapping[str, str]]
    ignored: Sequence[tuple[str, str]]
    strangers: frozenset[str]
    doubled: Mapping[Slot, str]


def cover(header: Header, experts: Mapping[Expert, Inventory]) -> Cover:
    """What of the file applies to the model with these experts, and why the rest does not; nothing is dropped.

    A module that the file means for both experts applies only where it fits both of them.
    """
    file = _read(header)
    found = {slot: _fit(slot, keys, file, header, experts) for slot, keys in file.layers.items()}
    refusal = _refusal(header, file, found, experts)
    applied = {} if refusal else {s: _keys(file, s, f.applied) for s, f in found.items() if f.applied}
    return Cover(_coverage(file, found, applied, experts), refusal, applied)


def _read(header: Header) -> _File:
    layers: dict[Slot, dict[str, str]] = defaultdict(dict)
    ignored: list[tuple[str, str]] = []
    strangers, doubled = set[str](), dict[Slot, str]()
    for key, parsed in parse_keys(header.tensors).items():
        if not isinstance(parsed, ParsedKey):
            ignored.append((key, parsed.reason))
            if parsed.reason != TEXT_ENCODER:
                strangers.add(module_of(key))
            continue
        slot = parsed.expert, parsed.module
        other = layers[slot].setdefault(parsed.part, key)
        if other != key:
            doubled[slot] = f"{key} and {other} say the same of it twice."
    for expert, module in layers:
        if expert and (None, module) in layers:
            doubled[expert, module] = "It stands in the file both for one expert and for both."
    strangers -= {module for _, module in layers}
    return _File(layers, ignored, frozenset(strangers), doubled)


def _fit(
    slot: Slot, keys: Mapping[str, str], file: _File, header: Header, experts: Mapping[Expert, Inventory]
) -> Fit:
    expert, module = slot
    if slot in file.doubled:
        return Fit(error=file.doubled[slot])
    models = [model for e, model in experts.items() if expert in (None, e)]
    if not models:
        return Fit(ignored=dict.fromkeys(keys, f"for the {expert}-noise expert, which this model lacks"))
    parts = {part: header.tensors[key].shape for part, key in keys.items()}
    return min((fit(module, parts, model) for model in models), key=lambda found: len(found.applied))


def _keys(file: _File, slot: Slot, parts: Iterable[str]) -> dict[str, str]:
    return {part: key for part, key in file.layers[slot].items() if part in parts}


def _coverage(
    file: _File,
    found: Mapping[Slot, Fit],
    applied: Mapping[Slot, object],
    experts: Mapping[Expert, Inventory],
) -> Coverage:
    ignored = list(file.ignored)
    for slot, result in found.items():
        ignored += [(file.layers[slot][part], reason) for part, reason in result.ignored.items()]
    modules = [(module, slot in applied) for slot in found for module in (slot[1],)]
    modules += [(module, False) for module in sorted(file.strangers)]
    return Coverage(
        modules=len(applied),
        of=len(modules),
        experts=tuple(e for e in experts if any(slot in (None, e) for slot, _ in applied)),
        ignored=tuple(ignored),
        errors=tuple((module, result.error) for (_, module), result in found.items() if result.error),
        blocks=_shares((_block(module), is_applied) for module, is_applied in modules),
        layers=_shares((_layer(module), is_applied) for module, is_applied in modules),
    )


_BLOCK = re.compile(r"((?:vace_)?blocks\.\d+)\.(.+)$")
_HEAD = ("proj_out", "scale_shift_table")


def _block(module: str) -> str:
    match = _BLOCK.match(module)
    return match[1] if match else "other"


def _layer(module: str) -> str:
    match = _BLOCK.match(module)
    return match[2] if match else "head" if module in _HEAD else module


def _shares(modules: Iterable[tuple[str, bool]]) -> tuple[Share, ...]:
    of, applied = Counter[str](), Counter[str]()
    for name, is_applied in modules:
        of[name] += 1
        applied[name] += is_applied
    return tuple(Share(name, applied[name], of[name]) for name in sorted(of, key=_order))


def _order(name: str) -> tuple[object, ...]:
    """Blocks by their numbers, “other” behind them."""
    kind, _, number = name.rpartition(".")
    if kind.endswith("blocks"):
        return 0, kind, int(number), ""
    return 1, "", 0, name


def _refusal(
    header: Header, file: _File, found: Mapping[Slot, Fit], experts: Mapping[Expert, Inventory]
) -> str:
    """Why the whole file cannot be used on the model, "" when at least one layer of it can."""
    if any("reshape_weight" in keys for keys in file.layers.values()):
        return "It is a control LoRA: it widens the model’s inputs for a control video, which cannot be used here."
    model = next(iter(experts.values()))
    return _wrong_size(found, model) or _nothing(header, file, found, model)


def _wrong_size(found: Mapping[Slot, Fit], model: Inventory) -> str:
    widths = Counter(width for (_, module), f in found.items() if (width := _width(module, f)))
    width, has = widths.most_common(1)[0][0] if widths else 0, _model_width(model)
    unlike = next(((module, f) for (_, module), f in found.items() if f.is_foreign), None)
    if unlike and width and width != has:
        return f"It is made for {wan(width)}; the loaded model is {wan(has)}."
    if unlike:
        return f"It does not fit {wan(has)}: its {unlike[0]} is of another size. {unlike[1].error}"
    blocks = max((f.block + 1 for f in found.values()), default=0)
    if blocks:
        return f"It is made for a Wan with at least {blocks} blocks; the loaded model has {_blocks(model)}."
    return ""


def _width(module: str, found: Fit) -> int:
    """The inner width of the model that the file was made for, as one layer shows it; 0 when it does not."""
    is_turned = module.endswith(("ffn.net.0.proj", "scale_shift_table"))
    made = found.change.weight or (() if is_turned else (found.change.bias,))
    if not made or not module.startswith(("blocks.", "vace_blocks.")):
        return 0
    return max(made[-1] if is_turned else made[0], 0)


def _model_width(model: Inventory) -> int:
    return model["scale_shift_table"][-1]


def _blocks(model: Inventory) -> int:
    return sum(name.startswith("blocks.") and name.count(".") == 2 for name in model)


def wan(width: int) -> str:
    """A Wan of this inner width, in words."""
    name = WAN_BY_WIDTH.get(width, "a Wan")
    return name if str(width) in name else f"{name} (width {width})"


def _nothing(header: Header, file: _File, found: Mapping[Slot, Fit], model: Inventory) -> str:
    """Why nothing of the file applies, "" when something does."""
    if any(result.applied for result in found.values()):
        return ""
    family, _ = other_family(header.tensors) if not found else ("", "")
    if family:
        return f"It is made for {family}; the loaded model is {wan(_model_width(model))}."
    reasons = Counter(reason for _, reason in file.ignored)
    reasons.update(reason for result in found.values() for reason in result.ignored.values())
    errors = Counter(result.error for result in found.values() if result.error)
    if errors and errors.total() >= len(found) - errors.total():
        return f"None of its layers can be applied. {errors.most_common(1)[0][0]}"
    return f"Nothing in it applies to this model: {reasons.most_common(1)[0][0]}."
