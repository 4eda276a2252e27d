"""Whether one layer of a LoRA file fits a model: what of it applies, what has no place, what is wrong."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import prod

from catalog.inventory import Inventory
from catalog.shapes import BadParts, Change, Parts, Shape, change_of, fits

# modules of relatives of Wan that the loaded one may lack: a part of the name, and what it belongs to
_OPTIONAL = (
    ("vace_", "VACE"),
    ("image_embedder.pos_embed", "first-and-last-frame models"),
    ("image_embedder", "the image branch of Wan 2.1’s image-to-video models"),
    ("add_k_proj", "the image branch of Wan 2.1’s image-to-video models"),
    ("add_v_proj", "the image branch of Wan 2.1’s image-to-video models"),
    ("norm_added_k", "the image branch of Wan 2.1’s image-to-video models"),
)
_BLOCK = re.compile(r"(vace_)?blocks\.(\d+)\.")


@dataclass(frozen=True, slots=True)
class Fit:
    """One layer against one model: `applied` and `ignored` (part → reason) share out its parts, unless `error`
    says why none can be applied. `is_foreign`: it has the sizes of another model, so the whole file is for
    that one. `block` is the number of a block that the model lacks, else -1.
    """

    applied: frozenset[str] = frozenset()
    ignored: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    change: Change = field(default_factory=Change)
    is_foreign: bool = False
    block: int = -1


def fit(module: str, parts: Parts, model: Inventory) -> Fit:
    """How the layer `module` with these parts fits the model with these parameters."""
    try:
        change = change_of(parts)
    except BadParts as error:
        return Fit(error=str(error))
    weight = model.get(f"{module}.weight", model.get(module, ()))
    if not weight:
        return _absent(module, parts, change, model)
    bias = model.get(f"{module}.bias", ())
    if _BLOCK.match(module) and (unlike := _unlike(change, weight, bias)):
        return Fit(error=unlike, change=change, is_foreign=True)
    return _matched(module, parts, change, weight, bias)


def _absent(module: str, parts: Parts, change: Change, model: Inventory) -> Fit:
    block = _BLOCK.match(module)
    beyond = block is not None and not block[1] and f"{block[0]}scale_shift_table" not in model
    reason = next((f"it belongs to {owner}" for name, owner in _OPTIONAL if name in module), "")
    reason = f"{reason}, which this model lacks" if reason else "this model has no such layer"
    number = int(block[2]) if block and beyond else -1
    return Fit(ignored=dict.fromkeys(parts, reason), change=change, block=number)


def _matched(module: str, parts: Parts, change: Change, weight: Shape, bias: Shape) -> Fit:
    """A layer that the model has, weight and bias apart: each applies, is explained, or is wrong."""
    ignored = {part: _idle(part) for part in parts if part not in change.weight_parts | change.bias_parts}
    if reason := _other_channels(module, change.weight, weight):
        ignored |= dict.fromkeys(sorted(change.weight_parts), reason)
        change = replace(change, weight=(), weight_parts=frozenset())
    if change.bias and (reason := _other_channels(module, (change.bias, *weight[1:]), weight)):
        ignored |= dict.fromkeys(sorted(change.bias_parts), reason)
        change = replace(change, bias=0, bias_parts=frozenset())
    unlike = _unlike(change, weight, bias)
    if not unlike and not bias and (change.bias or "up_bias" in parts):
        unlike = "It changes a bias, and the model’s layer has none."
    applied = change.weight_parts | change.bias_parts
    return Fit(error=unlike, change=change) if unlike else Fit(applied, ignored, change=change)


def _fits(change: Change, weight: Shape) -> bool:
    if change.vector:
        return change.vector in weight[:2]
    return not change.weight or fits(change.weight, weight)


def _idle(part: str) -> str:
    if part == "alpha":
        return "an alpha without factors"
    return f"a {part} that nothing here goes with"


def _other_channels(module: str, made: Shape, has: Shape) -> str:
    """Why an end of the network meets another number of channels, "" when that is not what is different."""
    if not made or fits(made, has):
        return ""
    if module == "patch_embedding" and len(made) > 1 and made[0] == has[0]:
        channels = made[1] if len(made) > 2 else made[1] // prod(has[2:])
        return f"made for {channels} input channels; this model takes {has[1]}"
    if module == "proj_out" and made[1:] == has[1:]:
        return f"made for {made[0] // 4} output channels; this model has {has[0] // 4}"
    return ""


def _unlike(change: Change, weight: Shape, bias: Shape) -> str:
    """How the layer's sizes differ from the model's, "" when they do not."""
    if not _fits(change, weight):
        return f"It is {_shown(change.weight or (change.vector,))}, the model’s is {_shown(weight)}."
    if change.inputs and change.inputs != weight[1]:
        return f"Its DoRA magnitude is for {change.inputs} inputs, the model’s layer has {weight[1]}."
    if change.bias and bias and bias != (change.bias,):
        return f"Its bias is {change.bias}, the model’s is {bias[0]}."
    return ""


def _shown(shape: Shape) -> str:
    return "×".join(str(side) if side >= 0 else "any" for side in shape)
