"""The keys of a LoRA file by layer, and those that belong to no layer, each with the reason."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from catalog.experts import Expert
from catalog.key_styles import TEXT_ENCODER, ParsedKey, UnknownKey, module_of, parse_keys
from catalog.key_suffixes import UNSUPPORTED
from catalog.plain_text import short_name

Slot = tuple[Expert | None, str]
"""A module, and the expert that the file means it for; None is every expert."""


@dataclass(frozen=True, slots=True)
class FileLayers:
    """A file's keys: `layers` by canonical part, `ignored` (key, reason) for those that belong to none.

    `doubled` says of a layer how the file speaks of it twice. `strangers` are the modules of the keys
    outside all layers, a text encoder's left out, each with what is wrong with it ("": it is only unknown).
    """

    layers: Mapping[Slot, Mapping[str, str]]
    ignored: tuple[tuple[str, str], ...]
    strangers: Mapping[str, str]
    doubled: Mapping[Slot, str]


def file_layers(keys: Iterable[str]) -> FileLayers:
    """The keys sorted into layers; every one of them is somewhere in the result."""
    layers: dict[Slot, dict[str, str]] = defaultdict(dict)
    unknown: list[tuple[str, str]] = []
    doubled: dict[Slot, str] = {}
    for key, parsed in parse_keys(keys).items():
        if isinstance(parsed, UnknownKey):
            unknown.append((key, parsed.reason))
            continue
        other = layers[_slot(parsed)].setdefault(parsed.part, key)
        if other != key:
            doubled[_slot(parsed)] = f"{short_name(key)} and {short_name(other)} say the same of it twice."
    for expert, module in layers:
        if expert and (None, module) in layers:
            doubled[expert, module] = "It stands in the file both for one expert and for both."
    strangers = _strangers(unknown, {module for _, module in layers})
    ignored = (pair for pair in unknown if not strangers.get(module_of(pair[0])))
    return FileLayers(layers, tuple(ignored), strangers, doubled)


def _slot(parsed: ParsedKey) -> Slot:
    return parsed.expert, parsed.module


def _strangers(unknown: Iterable[tuple[str, str]], known: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, reason in unknown:
        module = module_of(key)
        if reason != TEXT_ENCODER and module not in known:
            found[module] = f"{reason}." if reason in UNSUPPORTED.values() else found.get(module, "")
    return found
