"""Every parameter of a Wan transformer, name and shape, from its JSON config alone: diffusers' state dict."""

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

from catalog.errors import ModelNotFound
from catalog.models import Expert, ModelInfo, read_json

Inventory = Mapping[str, tuple[int, ...]]
"""Parameter name ("blocks.0.attn1.to_q.weight") → shape."""

_CLASSES = ("WanTransformer3DModel", "WanVACETransformer3DModel")
_FOLDERS: dict[Expert, str] = {"high": "transformer", "low": "transformer_2"}
_MOST_BLOCKS = 1000

_Shapes = Iterator[tuple[str, tuple[int, ...]]]


def inventories(model: ModelInfo) -> dict[Expert, Inventory]:
    """The parameters of each expert of a model in diffusers' folders; ModelNotFound when a config is wrong."""
    return {e: inventory(read_json(model.path / _FOLDERS[e] / "config.json")) for e in model.experts}


def inventory(config: Mapping[str, Any]) -> Inventory:
    """The parameters of the transformer with this config; what the config leaves out is diffusers' default.

    Raises ModelNotFound for another class than Wan's two, and for sizes that no model has.
    """
    name = config.get("_class_name", _CLASSES["vace_layers" in config])
    if name not in _CLASSES:
        raise ModelNotFound(f"The layers of a {name} are not known here.")
    try:
        return dict(_transformer(config, is_vace=name == _CLASSES[1]))
    except (TypeError, ValueError) as error:
        raise ModelNotFound(f"The transformer’s config.json is not what it should be: {error}.") from error


def _transformer(config: Mapping[str, Any], is_vace: bool) -> _Shapes:
    width = _size(config, "num_attention_heads", 40) * _size(config, "attention_head_dim", 128)
    channels = _size(config, "in_channels", 16)
    patch = tuple(int(side) for side in config.get("patch_size", (1, 2, 2)))
    blocks = _size(config, "num_layers", 40)
    out = _size(config, "out_channels", 16) or channels
    yield from _affine("patch_embedding", width, channels, *patch)
    yield from _condition(config, width)
    for number in range(blocks):
        yield from _block(f"blocks.{number}", config, width)
    if is_vace:
        yield from _vace(config, width, patch)
    yield from _affine("proj_out", out * prod(patch), width)
    yield "scale_shift_table", (1, 2, width)


def _size(config: Mapping[str, Any], name: str, default: int) -> int:
    """A number of the config; null counts as 0, as does what diffusers leaves out."""
    value = int(config.get(name, default) or 0)
    if value < 0 or (name == "num_layers" and value > _MOST_BLOCKS):
        raise ValueError(f"{name} is {value}")
    return value


def _affine(name: str, *shape: int) -> _Shapes:
    yield f"{name}.weight", shape
    yield f"{name}.bias", shape[:1]


def _condition(config: Mapping[str, Any], width: int) -> _Shapes:
    stem = "condition_embedder"
    yield from _affine(f"{stem}.time_embedder.linear_1", width, _size(config, "freq_dim", 256))
    yield from _affine(f"{stem}.time_embedder.linear_2", width, width)
    yield from _affine(f"{stem}.time_proj", 6 * width, width)
    yield from _affine(f"{stem}.text_embedder.linear_1", width, _size(config, "text_dim", 4096))
    yield from _affine(f"{stem}.text_embedder.linear_2", width, width)
    if image := _size(config, "image_dim", 0):
        stem += ".image_embedder"
        yield from _affine(f"{stem}.norm1", image)
        yield from _affine(f"{stem}.ff.net.0.proj", image, image)
        yield from _affine(f"{stem}.ff.net.2", width, image)
        yield from _affine(f"{stem}.norm2", width)
        if positions := _size(config, "pos_embed_seq_len", 0):
            yield f"{stem}.pos_embed", (1, positions, image)


def _block(stem: str, config: Mapping[str, Any], width: int) -> _Shapes:
    for attention in (f"{stem}.attn1", f"{stem}.attn2"):
        for name in ("to_q", "to_k", "to_v", "to_out.0"):
            yield from _affine(f"{attention}.{name}", width, width)
        for name in ("norm_q", "norm_k"):
            yield f"{attention}.{name}.weight", (width,)
    if added := _size(config, "added_kv_proj_dim", 0):
        yield from _affine(f"{stem}.attn2.add_k_proj", width, added)
        yield from _affine(f"{stem}.attn2.add_v_proj", width, added)
        yield f"{stem}.attn2.norm_added_k.weight", (width,)
    inner = _size(config, "ffn_dim", 13824)
    yield from _affine(f"{stem}.ffn.net.0.proj", inner, width)
    yield from _affine(f"{stem}.ffn.net.2", width, inner)
    if config.get("cross_attn_norm", True):
        yield from _affine(f"{stem}.norm2", width)
    yield f"{stem}.scale_shift_table", (1, 6, width)


def _vace(config: Mapping[str, Any], width: int, patch: tuple[int, ...]) -> _Shapes:
    yield from _affine("vace_patch_embedding", width, _size(config, "vace_in_channels", 96), *patch)
    for number in range(len(config.get("vace_layers", range(0, 40, 5)))):
        stem = f"vace_blocks.{number}"
        yield from _block(stem, config, width)
        if number == 0:
            yield from _affine(f"{stem}.proj_in", width, width)
        yield from _affine(f"{stem}.proj_out", width, width)
