"""Tensor names of LoRA files → module names of diffusers' Wan transformer, for every trainer's naming.

A key is *prefix* + *module path* + *suffix*. Prefixes are stripped until none matches, the suffix is the
longest that the closed table knows, and the path is looked up in one table, dotted or flattened with “_”.
Flattened names are never split: the known names are flattened instead, and no two collide.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Literal

from catalog.models import Expert

Names = Literal["original", "diffusers", "both"]


@dataclass(frozen=True, slots=True)
class ParsedKey:
    """One tensor of an adapter: which part of the adapter of which module it is.

    `module` is diffusers' dotted name ("blocks.0.attn1.to_q"); it may also name a bare parameter
    ("blocks.0.scale_shift_table"). `part` is the canonical suffix; PARTS lists them all. `expert` is None
    unless the prefix names one. `prefix` and `names` say how the trainer spelled it.
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

# original → diffusers; “#” stands for the number of the block
_BLOCK = {
    "self_attn.q": "attn1.to_q",
    "self_attn.k": "attn1.to_k",
    "self_attn.v": "attn1.to_v",
    "self_attn.o": "attn1.to_out.0",
    "self_attn.norm_q": "attn1.norm_q",
    "self_attn.norm_k": "attn1.norm_k",
    "cross_attn.q": "attn2.to_q",
    "cross_attn.k": "attn2.to_k",
    "cross_attn.v": "attn2.to_v",
    "cross_attn.o": "attn2.to_out.0",
    "cross_attn.norm_q": "attn2.norm_q",
    "cross_attn.norm_k": "attn2.norm_k",
    "cross_attn.k_img": "attn2.add_k_proj",
    "cross_attn.v_img": "attn2.add_v_proj",
    "cross_attn.norm_k_img": "attn2.norm_added_k",
    "ffn.0": "ffn.net.0.proj",
    "ffn.2": "ffn.net.2",
    # norm1/2/3 mean different things on the two sides; only this one has weights
    "norm3": "norm2",
    "modulation": "scale_shift_table",
}
_TOP = {
    "patch_embedding": "patch_embedding",
    "text_embedding.0": "condition_embedder.text_embedder.linear_1",
    "text_embedding.2": "condition_embedder.text_embedder.linear_2",
    "time_embedding.0": "condition_embedder.time_embedder.linear_1",
    "time_embedding.2": "condition_embedder.time_embedder.linear_2",
    "time_projection.1": "condition_embedder.time_proj",
    "img_emb.proj.0": "condition_embedder.image_embedder.norm1",
    "img_emb.proj.1": "condition_embedder.image_embedder.ff.net.0.proj",
    "img_emb.proj.3": "condition_embedder.image_embedder.ff.net.2",
    "img_emb.proj.4": "condition_embedder.image_embedder.norm2",
    "img_emb.emb_pos": "condition_embedder.image_embedder.pos_embed",
    "head.head": "proj_out",
    "head.modulation": "scale_shift_table",
    "vace_patch_embedding": "vace_patch_embedding",
    "vace_blocks.#.before_proj": "vace_blocks.#.proj_in",
    "vace_blocks.#.after_proj": "vace_blocks.#.proj_out",
}
_ORIGINAL = (
    _TOP
    | {f"blocks.#.{name}": f"blocks.#.{module}" for name, module in _BLOCK.items()}
    | {f"vace_blocks.#.{name}": f"vace_blocks.#.{module}" for name, module in _BLOCK.items()}
)

# modules of relatives of Wan, recognised so that they can be named
_RELATIVES = {
    "face_adapter": "belongs to Wan Animate",
    "face_encoder": "belongs to Wan Animate",
    "motion_encoder": "belongs to Wan Animate",
    "pose_patch_embedding": "belongs to Wan Animate",
    "audio_injector": "belongs to Wan S2V",
    "casual_audio_encoder": "belongs to Wan S2V",
    "audio_proj": "belongs to an audio-driven Wan",
    "control_adapter": "belongs to Wan Fun-Camera",
    "ref_conv": "belongs to Wan Fun-Control",
}

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

_PAIR = {"A": "down", "B": "up", "down": "down", "up": "up"}
_SUFFIXES = {
    **{f".lora_{name}.weight": part for name, part in _PAIR.items()},
    **{f".lora_{name}": part for name, part in _PAIR.items()},
    **{f"{stem}.{part}.weight": part for stem in (".lora", ".lora_linear_layer") for part in ("down", "up")},
    ".lora_mid.weight": "mid",
    ".lora_B.bias": "up_bias",
    ".lora_magnitude_vector": "dora_scale",
    ".lora_magnitude_vector.weight": "dora_scale",
    **{f".hada_{name}": f"hada_{name}" for name in ("w1_a", "w1_b", "w2_a", "w2_b", "t1", "t2")},
    **{f".lokr_{name}": f"lokr_{name}" for name in ("w1", "w2", "w1_a", "w1_b", "w2_a", "w2_b", "t1", "t2")},
    **{f".{name}.weight": f"glora_{name}" for name in ("a1", "a2", "b1", "b2")},
    **{
        f".{name}": name
        for name in (
            *(
                "alpha",
                "dora_scale",
                "scalar",
                "oft_blocks",
                "rescale",
                "on_input",
                "diff",
                "diff_b",
                "diff_m",
            ),
            *("w_norm", "b_norm", "set_weight", "reshape_weight", "weight", "bias"),
        )
    },
}
# a suffix that continues the last name of the path rather than following a dot
_UNDERSCORE_SUFFIXES = {"_lora.down.weight": "down", "_lora.up.weight": "up"}
# `.lora_A.<adapter>.weight`: PEFT puts the adapter's name, whatever it is, into the key
_NAMED_SUFFIXES = {
    ("lora_A", "weight"): "down",
    ("lora_B", "weight"): "up",
    ("lora_B", "bias"): "up_bias",
    ("lora_magnitude_vector", "weight"): "dora_scale",
}
_UNSUPPORTED = {
    "oft_R": "PEFT OFT is not supported",
    "vera_": "VeRA is not supported",
    "lora_embedding_": "LoRA on an embedding is not supported",
    "ia3_l": "PEFT IA3 is not supported",
}

UNSUPPORTED = frozenset(_UNSUPPORTED.values())
"""The reasons of keys that belong to a known kind of adapter, but to one that cannot be applied."""

PARTS = frozenset(_SUFFIXES.values()) - {"diff_m"}
"""Every value that ParsedKey.part can have.

down, up, mid, up_bias, alpha, scalar: a low-rank pair · dora_scale: its (or another kind's) magnitude ·
hada_…: LoHa · lokr_…: LoKr · glora_a1 … glora_b2: GLoRA · oft_blocks, rescale: diag-OFT (3-D) and BOFT (4-D)
· weight with on_input: IA3; weight and bias alone: the parameter itself, a whole model rather than an
adapter · diff, diff_b: added to weight and bias (`blocks.N.diff_m` arrives as diff of the scale_shift_table)
· w_norm, b_norm: the same for a norm · set_weight: replaces · reshape_weight: pads first.
"""

_NUMBER = re.compile(r"(?<=blocks[._])(0|[1-9][0-9]{0,3})(?=[._]|$)")


@cache
def _dotted_names() -> dict[str, tuple[str, Names]]:
    table: dict[str, tuple[str, Names]] = {module: (module, "diffusers") for module in _ORIGINAL.values()}
    for name, module in _ORIGINAL.items():
        table[name] = (module, "both" if name in table else "original")
    return table


@cache
def _flat_names() -> dict[str, tuple[str, Names]]:
    return {name.replace(".", "_"): found for name, found in _dotted_names().items()}


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
    rest, expert, prefix = _strip(key)
    if rest.startswith(_TEXT_ENCODERS):
        return UnknownKey(TEXT_ENCODER)
    path, part = split_suffix(rest)
    if part == "diff_m":
        path, part = f"{path}.modulation", "diff"
        found = _look_up(path, False) or _look_up(path.replace(".", "_"), prefix.endswith("_"))
    else:
        found = _look_up(path, prefix.endswith("_"))
    if found is None:
        return UnknownKey(_reason(rest, part, prefix.endswith("_")))
    if not part:
        if not found[0].endswith(("scale_shift_table", "pos_embed")):
            return UnknownKey(_reason(rest, part, prefix.endswith("_")))
        part = "weight"  # a bare parameter has no suffix of its own
    return ParsedKey(expert, found[0], part, prefix, found[1])


def module_of(key: str) -> str:
    """The module that an unknown key speaks of: diffusers' name if the module is known, else the file's own."""
    path, part = split_suffix(_strip(key)[0])
    parents = [path[:i] for i, character in enumerate(path) if character == "." and i]
    known = [found[0] for parent in [*parents, path] if (found := _look_up(parent, True))]
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


def split_suffix(rest: str) -> tuple[str, str]:
    """Module path and canonical part; the part is "" when no suffix is known."""
    for suffix, part in _UNDERSCORE_SUFFIXES.items():
        if rest.endswith(suffix):
            return rest[: -len(suffix)], part
    dot = rest.find(".")
    while dot >= 0:
        tail = rest[dot:]
        known = _SUFFIXES.get(tail) or _named(tail)
        if known:
            return rest[:dot], known
        dot = rest.find(".", dot + 1)
    return rest, ""


def _named(tail: str) -> str | None:
    pieces = tail.split(".")
    return _NAMED_SUFFIXES.get((pieces[1], pieces[3])) if len(pieces) == 4 and pieces[2] else None


def _look_up(path: str, is_flat: bool) -> tuple[str, Names] | None:
    """The module that `path` names; the number of the block is carried over."""
    if "#" in path:
        return None
    match = _NUMBER.search(path)
    template = path if match is None else f"{path[: match.start()]}#{path[match.end() :]}"
    found = _dotted_names().get(template)
    if found is None and is_flat:
        found = _flat_names().get(template)
    if found is None or match is None:
        return found
    return found[0].replace("#", match[1]), found[1]


def _reason(rest: str, part: str, is_flat: bool) -> str:
    for name, reason in _RELATIVES.items():
        if rest.startswith((f"{name}.", f"{name}_")):
            return reason
    for name, reason in _UNSUPPORTED.items():
        if f".{name}" in rest:
            return reason
    parents = [rest[:i] for i, character in enumerate(rest) if character == "."]
    if not part or any(_look_up(parent, is_flat) for parent in parents):
        return UNKNOWN_SUFFIX
    return UNKNOWN_MODULE
