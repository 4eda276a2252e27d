"""The names of a CLIP image encoder's tensors: Hugging Face's, as ComfyUI has them, and those of Wan's own file."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_HUGGING_FACE, _ORIGINAL = "vision_model.", "visual."
_TOP = {
    "cls_embedding": "embeddings.class_embedding",
    "pos_embedding": "embeddings.position_embedding.weight",
    "patch_embedding.weight": "embeddings.patch_embedding.weight",
    "pre_norm.weight": "pre_layrnorm.weight",
    "pre_norm.bias": "pre_layrnorm.bias",
    "post_norm.weight": "post_layernorm.weight",
    "post_norm.bias": "post_layernorm.bias",
}
_IN_BLOCK = {
    "norm1": ("layer_norm1",),
    "norm2": ("layer_norm2",),
    "attn.to_qkv": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "attn.proj": ("self_attn.out_proj",),
    "mlp.0": ("mlp.fc1",),
    "mlp.2": ("mlp.fc2",),
}
_BLOCK = re.compile(r"transformer\.(\d+)\.(.+)\.(weight|bias)")
_UNUSED = ("position_ids", "visual_projection.weight", "logit_scale", "log_scale")
_OTHER_SIDE = ("text_model.", "text_projection.", "textual.", "visual.head")
CLASS = "embeddings.class_embedding"
PATCHES = "embeddings.patch_embedding.weight"
POSITIONS = "embeddings.position_embedding.weight"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a parameter lies: the `part`-th of `parts` equal pieces of the rows of `key`."""

    key: str
    part: int = 0
    parts: int = 1


def image_encoder_names(keys: Iterable[str]) -> Mapping[str, Place]:
    """Hugging Face's parameter name without its “vision_model.” → where it lies; empty for another file.

    What belongs to the text side, or behind the last layer but one, is left out.
    """
    found: dict[str, Place] = {}
    for key in keys:
        if key.startswith(_OTHER_SIDE) or key.endswith(_UNUSED):
            continue
        for number, name in enumerate(names := _names(key)):
            found[name] = Place(key, number, len(names))
    return found if CLASS in found and PATCHES in found else {}


def _names(key: str) -> tuple[str, ...]:
    """What one tensor is called by Hugging Face; three names for q, k and v in one."""
    name = key.removeprefix(_ORIGINAL)
    if name in _TOP:
        return (_TOP[name],)
    block = _BLOCK.fullmatch(name)
    if block and block[2] in _IN_BLOCK:
        return tuple(f"encoder.layers.{block[1]}.{part}.{block[3]}" for part in _IN_BLOCK[block[2]])
    return (key.removeprefix(_HUGGING_FACE),)
