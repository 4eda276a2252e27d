"""A LoRA file → its deltas by expert and module, checked before a model is touched."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from catalog.header import Header
from catalog.key_styles import ParsedKey, parse_keys
from catalog.models import Expert
from engine.errors import AdapterRefused
from engine.inference.lora.build import build
from engine.inference.lora.deltas import Delta
from engine.inference.lora.scale import adapter_config


@dataclass(frozen=True, slots=True, eq=False)
class Adapter:
    """The content of one file. Deltas under None play on every expert; `ignored` is (key, reason)."""

    path: Path
    sha256: str
    kinds: tuple[str, ...]
    deltas: Mapping[Expert | None, Mapping[str, Delta]]
    ignored: tuple[tuple[str, str], ...]


def read_adapter(path: Path, header: Header) -> Adapter:
    """Read a whole file once, its header being known: hash it, check it, build its deltas (still on the CPU).

    Raises AdapterRefused when its tensors are not finite, incomplete, or of a kind that cannot be applied.
    """
    layers, ignored = _group(header.tensors)
    data = path.read_bytes()
    tensors = safetensors.torch.load(data)
    _check_finite(tensors)
    kinds: set[str] = set()
    deltas: dict[Expert | None, dict[str, Delta]] = defaultdict(dict)
    for (expert, module), keys in layers.items():
        parts = {part: tensors[key] for part, key in keys.items()}
        if set(parts) == {"alpha"}:
            ignored.append((keys["alpha"], "an alpha without factors"))
            continue
        config: Mapping[str, Any] = adapter_config(header.metadata, expert)
        kind, deltas[expert][module] = build(parts, config, module)
        kinds.add(kind)
    return Adapter(path, hashlib.sha256(data).hexdigest(), tuple(sorted(kinds)), dict(deltas), tuple(ignored))


_Grouped = dict[tuple[Expert | None, str], dict[str, str]]


def _group(keys: Iterable[str]) -> tuple[_Grouped, list[tuple[str, str]]]:
    """Keys by expert, module and part; and those that belong to no layer, with the reason."""
    layers: _Grouped = defaultdict(dict)
    ignored: list[tuple[str, str]] = []
    for key, parsed in parse_keys(keys).items():
        if not isinstance(parsed, ParsedKey):
            ignored.append((key, parsed.reason))
            continue
        keys_of_layer = layers[parsed.expert, parsed.module]
        if parsed.part in keys_of_layer:
            raise AdapterRefused(f"{key} and {keys_of_layer[parsed.part]} say different things of one layer.")
        keys_of_layer[parsed.part] = key
    return layers, ignored


def _check_finite(tensors: Mapping[str, Tensor]) -> None:
    for key, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor.float()).all():
            raise AdapterRefused(f"{key} holds NaN or infinite numbers; the file is damaged.")
