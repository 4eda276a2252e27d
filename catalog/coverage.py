"""How much of a LoRA file applies to a model: every tensor of it is applied, explained, or in error."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from catalog.experts import Expert
from catalog.file_layers import FileLayers, Slot, file_layers
from catalog.fit import Fit, fit
from catalog.header import Header
from catalog.inventory import Inventory
from catalog.refusal import refusal_of


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

    def refused(self, refusal: str) -> "Cover":
        """The same, of which nothing can be used."""
        found = replace(self.coverage, modules=0, experts=())
        found = replace(found, blocks=_none_of(found.blocks), layers=_none_of(found.layers))
        return Cover(found, refusal, {})


def cover(header: Header, experts: Mapping[Expert, Inventory]) -> Cover:
    """What of the file applies to the model with these experts, and why the rest does not; nothing is dropped.

    A module that the file means for both experts applies only where it fits both of them.
    """
    file, experts = file_layers(header.tensors), _alike_as_one(experts)
    found = {slot: _fit(slot, keys, file, header, experts) for slot, keys in file.layers.items()}
    refusal = refusal_of(header, file, found, experts)
    applied = {} if refusal else {s: _keys(file, s, f.applied) for s, f in found.items() if f.applied}
    return Cover(_coverage(file, found, applied, experts), refusal, applied)


def _alike_as_one(experts: Mapping[Expert, Inventory]) -> dict[Expert, Inventory]:
    """Experts with the same layers share one inventory, so that a file is laid over it once."""
    distinct: list[Inventory] = []
    for model in experts.values():
        if model not in distinct:
            distinct.append(model)
    return {expert: distinct[distinct.index(model)] for expert, model in experts.items()}


def _fit(
    slot: Slot, keys: Mapping[str, str], file: FileLayers, header: Header, experts: Mapping[Expert, Inventory]
) -> Fit:
    expert, module = slot
    if slot in file.doubled:
        return Fit(error=file.doubled[slot])
    models = {id(model): model for e, model in experts.items() if expert in (None, e)}
    if not models:
        return Fit(ignored=dict.fromkeys(keys, f"for the {expert}-noise expert, which this model lacks"))
    parts = {part: header.tensors[key].shape for part, key in keys.items()}
    found = min(
        (fit(module, parts, model) for model in models.values()), key=lambda found: len(found.applied)
    )
    whole = sorted(
        p for p in found.applied - _INTEGERS if not header.tensors[keys[p]].dtype.startswith(_FLOATS)
    )
    if whole:
        dtype = header.tensors[keys[whole[0]]].dtype
        return Fit(
            error=f"Its {whole[0]} holds whole numbers ({dtype}) without a scale.", change=found.change
        )
    return found


_FLOATS = ("F", "BF")
_INTEGERS = frozenset({"alpha", "scalar", "on_input"})  # may be whole numbers


def _keys(file: FileLayers, slot: Slot, parts: Iterable[str]) -> dict[str, str]:
    return {part: key for part, key in file.layers[slot].items() if part in parts}


def _coverage(
    file: FileLayers,
    found: Mapping[Slot, Fit],
    applied: Mapping[Slot, object],
    experts: Mapping[Expert, Inventory],
) -> Coverage:
    ignored = list(file.ignored)
    for slot, result in found.items():
        ignored += [(file.layers[slot][part], reason) for part, reason in result.ignored.items()]
    modules = [(module, slot in applied) for slot in found for module in (slot[1],)]
    modules += [(module, False) for module in file.strangers]
    errors = [(module, result.error) for (_, module), result in found.items() if result.error]
    errors += [(module, wrong) for module, wrong in file.strangers.items() if wrong]
    return Coverage(
        modules=len(applied),
        of=len(modules),
        experts=tuple(e for e in experts if any(slot in (None, e) for slot, _ in applied)),
        ignored=tuple(ignored),
        errors=tuple(errors),
        blocks=_shares((_block(module), is_applied) for module, is_applied in modules),
        layers=_shares((_layer(module), is_applied) for module, is_applied in modules),
    )


def place(module: str) -> tuple[str, str]:
    """The block and the kind of layer that a module is counted with."""
    return _block(module), _layer(module)


# names of unknown origin may hold thousands of digits
_BLOCK = re.compile(r"((?:vace_)?blocks\.[0-9]{1,4})\.(.+)$", re.DOTALL)
_NUMBERED = re.compile(r"((?:vace_)?blocks)\.([0-9]{1,4})")
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


def _none_of(shares: Iterable[Share]) -> tuple[Share, ...]:
    return tuple(replace(share, applied=0) for share in shares)


def _order(name: str) -> tuple[object, ...]:
    """Blocks by their numbers, “other” behind them."""
    block = _NUMBERED.fullmatch(name)
    return (0, block[1], int(block[2]), "") if block else (1, "", 0, name)
