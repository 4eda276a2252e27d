"""Takes a LoRA file apart into its layers: kinds, ranks, widths and what is missing, from shapes alone."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from catalog.experts import Expert
from catalog.header import Header, TensorInfo
from catalog.key_styles import TEXT_ENCODER, ParsedKey, UnknownKey
from catalog.peft_alpha import scale_problem, stated_alphas
from catalog.shapes import BadParts, Shape, change_of

Parts = dict[str, TensorInfo]
WHOLE = "whole weights"
"""The kind of a file that holds a model itself."""

Parsed = Mapping[str, ParsedKey | UnknownKey]

_CORE = re.compile(
    r"(vace_)?blocks\.(\d+)\.(attn[12]\.(to_[qkv]|to_out\.0|add_[kv]_proj)|ffn\.net\.(0\.proj|2))$"
)
_BLOCK = re.compile(r"blocks\.([0-9]{1,4})\.")
# layers whose output is as wide as the model
_WIDE_OUT = re.compile(r"blocks\.\d+\.(attn[12]\.\w+(\.0)?|ffn\.net\.2|norm2|proj_in|proj_out)$")
# and those whose input is
_WIDE_IN = re.compile(r"blocks\.\d+\.(attn[12]\.to_\w+(\.0)?|ffn\.net\.0\.proj)$")
_SIGNS = (
    ("lora", ("down", "up", "mid", "up_bias")),
    ("loha", ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b")),
    ("lokr", ("lokr_w1", "lokr_w2", "lokr_w1_a", "lokr_w2_a")),
    ("glora", ("glora_a1", "glora_b1")),
    ("ia3", ("on_input",)),
    ("full", ("diff", "diff_b")),
    ("norm", ("w_norm", "b_norm")),
    ("set_weight", ("set_weight",)),
    ("control", ("reshape_weight",)),
    ("dora", ("dora_scale",)),
)
# parts that make no sense without each other
_PAIRS = (
    ("down", "up"),
    ("hada_w1_a", "hada_w1_b"),
    ("hada_w2_a", "hada_w2_b"),
    ("lokr_w1_a", "lokr_w1_b"),
    ("lokr_w2_a", "lokr_w2_b"),
    ("glora_a1", "glora_a2"),
    ("glora_b1", "glora_b2"),
)
_NOT_WEIGHTS = ("alpha", "scalar", "on_input", "reshape_weight")


@dataclass(frozen=True, slots=True)
class Anatomy:
    """The layers of a file. `core` counts those that only a Wan transformer has; `width` is None unless
    `width_votes` layers show it; `input_channels` is 0 unless the patch embedding is among them. `alphas` are
    those of tensors and, for layers without one, of the metadata; `rslora` counts the layers whose alpha the
    metadata divides by the root of the rank."""

    module_names: frozenset[str]
    modules: int
    core: int
    blocks: int
    kinds: Counter[str]
    ranks: Counter[float | str]
    alphas: Counter[float | str]
    rslora: int
    width: int | None
    width_votes: int
    input_channels: int
    dialect: str
    dtype: str
    parameters: int
    text_encoder_keys: int
    warnings: tuple[str, ...]


def dissect(header: Header, keys: Parsed, scalars: Mapping[str, float]) -> Anatomy:
    """The anatomy of the file whose names were parsed to `keys`; `scalars` holds the alphas' values."""
    layers, doubled = _layers(header, keys)
    names = frozenset(module for _, module in layers)
    kinds = Counter(kind for parts in layers.values() for kind in kinds_of(parts))
    votes = Counter(width for (_, module), parts in layers.items() if (width := _width(module, parts)))
    bare = [layer for layer, parts in layers.items() if "down" in parts and "alpha" not in parts]
    stated = stated_alphas(header.metadata, bare)
    width, agreed = votes.most_common(1)[0] if votes else (0, 0)
    return Anatomy(
        module_names=names,
        modules=sum(bool(kinds_of(parts)) for parts in layers.values()),
        core=sum(_CORE.match(module) is not None for _, module in layers),
        blocks=max((int(m[1]) + 1 for n in names if (m := _BLOCK.match(n))), default=0),
        kinds=kinds,
        ranks=Counter(rank for parts in layers.values() if (rank := _rank(parts)) is not None),
        alphas=Counter([*(scalars[key] for key in keys if key in scalars), *(one.value for one in stated)]),
        rslora=sum(one.is_rslora for one in stated),
        width=width or None,
        width_votes=agreed,
        input_channels=_input_channels(layers),
        dialect=_dialect(keys),
        dtype=_dtype(header, keys),
        parameters=sum(info.parameters for info in header.tensors.values()),
        text_encoder_keys=sum(k == UnknownKey(TEXT_ENCODER) for k in keys.values()),
        warnings=(
            *_warnings(layers, keys, doubled, votes),
            *filter(None, [scale_problem(header.metadata, {expert for expert, _ in bare})]),
        ),
    )


def kinds_of(parts: Mapping[str, TensorInfo]) -> tuple[str, ...]:
    """The kinds that the parts of one layer amount to, DoRA beside what it is over."""
    found = [kind for kind, signs in _SIGNS if any(sign in parts for sign in signs)]
    if "oft_blocks" in parts:
        found.append("boft" if len(parts["oft_blocks"].shape) == 4 else "oft")
    if not found and ("weight" in parts or "bias" in parts):
        found.append(WHOLE)
    return tuple(found)


def _layers(header: Header, keys: Parsed) -> tuple[dict[tuple[Expert | None, str], Parts], int]:
    """The tensors by layer and part, and how many of them say the same thing twice."""
    layers: dict[tuple[Expert | None, str], Parts] = defaultdict(dict)
    doubled = 0
    for key, parsed in keys.items():
        if isinstance(parsed, ParsedKey):
            parts = layers[parsed.expert, parsed.module]
            doubled += parsed.part in parts
            parts[parsed.part] = header.tensors[key]
    return dict(layers), doubled


def _side(parts: Parts, name: str, axis: int, dimensions: int = 1) -> int:
    """The length of one axis of a part, 0 when the part or the axis is not there."""
    shape = parts[name].shape if name in parts else ()
    return shape[axis] if len(shape) >= max(dimensions, axis + 1) else 0


def _rank(parts: Parts) -> float | str | None:
    if "glora_b1" in parts:
        return min(parts["glora_b1"].shape, default=0) or None
    for name in ("down", "hada_w1_b", "lokr_w2_b", "lokr_w1_b"):
        if name in parts:
            return _side(parts, name, 0, 2) or None
    return "full" if "lokr_w1" in parts or "diff" in parts else None


def _width(module: str, parts: Parts) -> int:
    """The model's width as one layer shows it, 0 when it does not."""
    out, into = _sides({part: info.shape for part, info in parts.items()})
    if _WIDE_OUT.search(module) and out:
        return out
    return into if _WIDE_IN.search(module) else 0


def _sides(shapes: Mapping[str, Shape]) -> tuple[int, int]:
    """The outputs and the inputs of the layer that these parts change, 0 where they do not tell."""
    if "weight" in shapes:  # the weight itself, or a vector over one of its sides
        weight = shapes["weight"]
    else:
        try:
            change = change_of(shapes)
        except BadParts:
            return 0, 0
        weight = change.weight or (change.bias,)
    known = [max(side, 0) for side in weight]
    return (known[0] if known else 0), (known[1] if len(known) == 2 else 0)


def _input_channels(layers: Mapping[tuple[Expert | None, str], Parts]) -> int:
    for (_, module), parts in layers.items():
        if module == "patch_embedding":
            named = (_side(parts, name, 1, 5) for name in ("down", "diff", "set_weight", "weight"))
            # a flattened kernel of 1×2×2 holds every channel four times
            return next((sides for sides in named if sides), 0) or _side(parts, "down", 1, 2) // 4
    return 0


def _dialect(keys: Parsed) -> str:
    """How the trainer writes names, in words."""
    parsed = [key for key in keys.values() if isinstance(key, ParsedKey)]
    if not parsed:
        return ""
    prefixes = Counter(key.prefix for key in parsed)
    prefix = prefixes.most_common(1)[0][0]
    is_diffusers = sum(key.names == "diffusers" for key in parsed) * 2 > len(parsed)
    has_two = any(key.expert for key in parsed)
    return _dialect_words(prefix, is_diffusers) + (", two experts" if has_two else "")


def _dialect_words(prefix: str, is_diffusers: bool) -> str:
    flat = {"lora_unet__": "VideoX-Fun", "lora_unet_": "kohya/musubi"} | {
        "lora_transformer_": "OneTrainer",
        "lycoris_": "LyCORIS",
    }
    word = next((words for start, words in flat.items() if prefix.endswith(start)), "")
    if word:
        return f"{word}, diffusers names" if is_diffusers and word != "LyCORIS" else word
    if "base_model.model." in prefix:
        return "PEFT" if is_diffusers else "PEFT, original names"
    if "dit." in prefix:
        return "DiffSynth"
    if "diffusion_model." in prefix:
        return "ComfyUI, diffusers names" if is_diffusers else "ComfyUI"
    if "transformer" in prefix:
        return "diffusers/PEFT" if is_diffusers else "diffusers/PEFT, original names"
    return "bare diffusers names" if is_diffusers else "bare original names"


def _dtype(header: Header, keys: Parsed) -> str:
    """The number types of the weights, the most used first; alphas and flags do not count."""
    used = Counter[str]()
    for name, info in header.tensors.items():
        key = keys[name]
        if not (isinstance(key, ParsedKey) and key.part in _NOT_WEIGHTS):
            used[info.dtype] += info.parameters
    return ", ".join(dtype for dtype, _ in used.most_common())


def _warnings(
    layers: Mapping[tuple[Expert | None, str], Parts], keys: Parsed, doubled: int, votes: Counter[int]
) -> tuple[str, ...]:
    said = []
    reasons = Counter(key.reason for key in keys.values() if isinstance(key, UnknownKey))
    for reason, count in reasons.most_common():
        said.append(f"{count} tensor{' is' if count == 1 else 's are'} not used: {reason}.")
    halves = sum((a in parts) != (b in parts) for parts in layers.values() for a, b in _PAIRS)
    if halves:
        said.append(f"{halves} layer{' has' if halves == 1 else 's have'} only half of a pair.")
    if doubled:
        said.append(f"{doubled} tensor{' occurs' if doubled == 1 else 's occur'} under two names.")
    if len(votes) > 1:
        said.append(f"Its layers do not agree on the width: {', '.join(map(str, sorted(votes)))}.")
    whole = sum(kinds_of(parts) == (WHOLE,) for parts in layers.values())
    if whole:
        said.append(f"Whole weights of a model, not changes to them: {whole} of its layers.")
    if any("reshape_weight" in parts for parts in layers.values()):
        said.append("It is a control LoRA, which widens the model’s inputs for a control video.")
    return tuple(said)
