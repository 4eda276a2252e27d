"""Which tensor of a model file is which parameter: names of weights, of their scales, and what is neither."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from catalog.key_styles import ParsedKey, UnknownKey, parse_key

_SCALES = (".scale_weight", ".weight_scale")
# of activations, or of how other programs multiply: the weights do not depend on them
_UNUSED = (".scale_input", ".input_scale", ".comfy_quant")
_MARKER = "scaled_fp8"
_BEFORE_VAE = ("", "model.", "vae.", "first_stage_model.")
_BARE = ("scale_shift_table", "pos_embed")
BUNDLED = ("text_encoders.", "first_stage_model.", "vae.", "cond_stage_model.")
"""Prefixes of the other parts in files that hold a whole pipeline."""


@dataclass(frozen=True, slots=True)
class Names:
    """A transformer's tensors: diffusers' parameter name → key, and module → key of its scale.

    `strangers` are keys of no parameter, with the reason; `bundled` counts tensors of other parts.
    """

    weights: Mapping[str, str]
    scales: Mapping[str, str]
    strangers: tuple[tuple[str, str], ...] = ()
    bundled: int = 0
    is_original: bool = True
    doubled: tuple[str, ...] = field(default=())


def transformer_names(keys: Iterable[str]) -> Names:
    """The names of a Wan transformer's file, original or diffusers', with any prefix."""
    weights: dict[str, str] = {}
    scales: dict[str, str] = {}
    strangers, doubled, bundled, diffusers = list[tuple[str, str]](), list[str](), 0, 0
    for key in keys:
        if key.startswith(BUNDLED):
            bundled += 1
            continue
        if is_beside(key):
            continue
        weight = scaled_weight(key)
        parsed = parse_key(weight or key)
        if not isinstance(parsed, ParsedKey) or parsed.part not in ("weight", "bias"):
            strangers.append((key, parsed.reason if isinstance(parsed, UnknownKey) else "part of a LoRA"))
            continue
        diffusers += parsed.names == "diffusers"
        name, found = (parsed.module, scales) if weight else (_parameter(parsed), weights)
        if name in found:
            doubled.append(key)
        found[name] = key
    return Names(weights, scales, tuple(strangers), bundled, diffusers * 2 < len(weights), tuple(doubled))


def scaled_weight(key: str) -> str:
    """The key of the weight whose scale `key` is, "" when it is no scale."""
    suffix = next((suffix for suffix in _SCALES if key.endswith(suffix)), "")
    return f"{key.removesuffix(suffix)}.weight" if suffix else ""


def vae_prefix(keys: Collection[str]) -> str | None:
    """What stands before every name in a VAE's file, "" most often; None for what is no VAE's."""
    for prefix in _BEFORE_VAE:
        if f"{prefix}decoder.conv1.weight" in keys or f"{prefix}decoder.conv_in.weight" in keys:
            return prefix
    return None


def is_beside(key: str) -> bool:
    """Whether the tensor is a mark of quantisation that says nothing about the weights' values."""
    return key.endswith(_UNUSED) or key == _MARKER or key.endswith(f".{_MARKER}")


def quantised_as(metadata: Mapping[str, str]) -> frozenset[str]:
    """The formats that the metadata names for layers, as newer ComfyUI files do; empty when it names none."""
    try:
        value = json.loads(metadata.get("_quantization_metadata", "") or "{}")
        layers = value.get("layers", {}).values()
        return frozenset(str(layer.get("format", "")) for layer in layers)
    except (ValueError, AttributeError, RecursionError):
        return frozenset()


def _parameter(parsed: ParsedKey) -> str:
    return parsed.module if parsed.module.endswith(_BARE) else f"{parsed.module}.{parsed.part}"
