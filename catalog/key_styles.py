"""Tensor names of LoRA files → module names of diffusers' Wan transformer, for every trainer's naming.

A key is *prefix* + *module path* + *suffix*. Prefixes are stripped until none matches, the suffix is the
longest that the closed table knows, and the path is looked up in one table, dotted or flattened with “_”.
Flattened names are never split: the known names are flattened instead, and no two collide.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from catalog.experts import Expert
from catalog.key_suffixes import LONGEST, UNSUPPORTED, split_suffix
from catalog.wan_names import RELATIVES, Names, look_up


@dataclass(frozen=True, slots=True)
class ParsedKey:
    """One tensor of an adapter: which part of the adapter of which module it is.

    `module` is diffusers' dotted name ("blocks.0.attn1.to_q"); it may also name a bare parameter
    ("blocks.0.scale_shift_table"). `part` is one of key_suffixes.PARTS. `expert` is None unless the prefix
    names one. `prefix` and `names` say how the trainer spelled it.
    """

    expert: Expert | None
    module: str
    part: str
    prefix: str = ""
    names: Names = "both"


@dataclass(frozen=True, slots=True)
class UnknownKey:
    """A tensor that belongs to no module of the Wan transformer, and why."""

    reason: str


TEXT_ENCODER = "text encoder"
UNKNOWN_MODULE = "no such module in a Wan transformer"
UNKNOWN_SUFFIX = "unknown kind of tensor"

_DOTTED_PREFIXES = (
    "diffusion_model.",
    "model.diffusion_model.",
    "base_model.model.",
    "pipe.dit.",
    "dit.",
    "transformer.",
    "transformer_1.",
    "transformer_2.",
    "unet.",
    "module.",
    "_orig_mod.",
)
_FLAT_PREFIXES = ("lora_unet__", "lora_unet_", "lora_transformer_", "lycoris_")
_PREFIXES = _DOTTED_PREFIXES + _FLAT_PREFIXES
_EXPERTS: dict[str, Expert] = {"transformer_1.": "high", "transformer_2.": "low"}
_TEXT_ENCODERS = (
    "text_encoder.",
    "text_encoders.",
    "text_encoder_2.",
    "text_encoder_3.",
    "lora_te_",
    "lora_te1_",
    "lora_te2_",
    "lora_te3_",
    "te.",
)


def parse_keys(keys: Iterable[str]) -> dict[str, ParsedKey | UnknownKey]:
    """Every key of one file. Beside a `transformer_2.`, a plain `transformer.` means the high expert."""
    parsed = {key: parse_key(key) for key in keys}
    if any(isinstance(p, ParsedKey) and p.expert == "low" for p in parsed.values()):
        for key, p in parsed.items():
            if isinstance(p, ParsedKey) and p.expert is None and "transformer." in p.prefix:
                parsed[key] = replace(p, expert="high")
    return parsed


@lru_cache(maxsize=50_000)  # the same names are asked for by all who look at a file
def parse_key(key: str) -> ParsedKey | UnknownKey:
    """Which part of which module `key` names, or why it is none."""
    if len(key) > LONGEST:
        return UnknownKey(UNKNOWN_MODULE)
    rest, expert, prefix = _strip(key)
    if rest.startswith(_TEXT_ENCODERS):
        return UnknownKey(TEXT_ENCODER)
    path, part = split_suffix(rest)
    if part == "diff_m":
        path, part = f"{path}.modulation", "diff"
        found = look_up(path, False) or look_up(path.replace(".", "_"), prefix.endswith("_"))
    else:
        found = look_up(path, prefix.endswith("_"))
    if found is None:
        return UnknownKey(_reason(rest, part, prefix.endswith("_")))
    if not part:
        if not found[0].endswith(("scale_shift_table", "pos_embed")):
            return UnknownKey(_reason(rest, part, prefix.endswith("_")))
        part = "weight"  # a bare parameter has no suffix of its own
    return ParsedKey(expert, found[0], part, prefix, found[1])


def module_of(key: str) -> str:
    """The module that an unknown key speaks of: diffusers' name if the module is known, else the file's own."""
    if len(key) > LONGEST:
        return key
    path, part = split_suffix(_strip(key)[0])
    parents = [path[:i] for i, character in enumerate(path) if character == "." and i]
    known = [found[0] for parent in [*parents, path] if (found := look_up(parent, True))]
    if known:
        return known[-1]
    return path if part or not parents else parents[-1]


def _strip(key: str) -> tuple[str, Expert | None, str]:
    """The key without its prefixes, the expert they name, and the prefixes."""
    rest, expert = key, None
    while rest.startswith(_PREFIXES) and not rest.startswith(_TEXT_ENCODERS):
        prefix = next(p for p in _PREFIXES if rest.startswith(p))
        expert = _EXPERTS.get(prefix, expert)
        rest = rest[len(prefix) :]
    return rest, expert, key[: len(key) - len(rest)]


def _reason(rest: str, part: str, is_flat: bool) -> str:
    for name, reason in RELATIVES.items():
        if rest.startswith((f"{name}.", f"{name}_")):
            return reason
    for name, reason in UNSUPPORTED.items():
        if f".{name}" in rest:
            return reason
    parents = [rest[:i] for i, character in enumerate(rest) if character == "."]
    if not part or any(look_up(parent, is_flat) for parent in parents):
        return UNKNOWN_SUFFIX
    return UNKNOWN_MODULE
