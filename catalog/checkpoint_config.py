"""The configuration of a single-file transformer, read from its shapes; and whether all of it is there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from catalog.checkpoint_names import Names
from catalog.errors import UnreadableFile
from catalog.header import Header
from catalog.inventory import inventory
from catalog.model_table import entry

_EMBEDDER = "condition_embedder"
_IMAGE = f"{_EMBEDDER}.image_embedder"
_HEAD_WIDTH = 128


@dataclass(frozen=True, slots=True)
class _Shapes:
    header: Header
    names: Names

    def has(self, name: str) -> bool:
        return name in self.names.weights

    def of(self, name: str, axes: int) -> tuple[int, ...]:
        key = self.names.weights.get(name)
        if key is None or len(self.header.tensors[key].shape) != axes:
            raise UnreadableFile(f"The transformer has no usable {name}.")
        return self.header.tensors[key].shape

    def blocks(self, stem: str) -> int:
        return len({name.split(".")[1] for name in self.names.weights if name.startswith(stem)})


def head_width(models: Sequence[str]) -> int:
    """How wide an attention head of these models of the table is: what no tensor shows."""
    row = entry(models[0]) if models else None
    return row.head_width if row else _HEAD_WIDTH


def transformer_config(header: Header, names: Names, head_width: int) -> dict[str, Any]:
    """The keyword arguments of diffusers' class, and `_class_name`, which says which class.

    `names` are those of the header's tensors. Raises UnreadableFile when a tensor that
    shows a size is missing or of an impossible shape.
    """
    shapes = _Shapes(header, names)
    width, channels, *patch = shapes.of("patch_embedding.weight", 5)
    if not width or width % head_width:
        raise UnreadableFile(f"Its width {width} is no multiple of {head_width}, as a Wan’s is.")
    return {
        "_class_name": "WanTransformer3DModel",
        "patch_size": tuple(patch),
        "num_attention_heads": width // head_width,
        "attention_head_dim": head_width,
        "in_channels": channels,
        "out_channels": shapes.of("proj_out.weight", 2)[0] // max(1, prod(patch)),
        "text_dim": shapes.of(f"{_EMBEDDER}.text_embedder.linear_1.weight", 2)[1],
        "freq_dim": shapes.of(f"{_EMBEDDER}.time_embedder.linear_1.weight", 2)[1],
        "ffn_dim": shapes.of("blocks.0.ffn.net.0.proj.weight", 2)[0],
        "num_layers": shapes.blocks("blocks."),
        "cross_attn_norm": shapes.has("blocks.0.norm2.weight"),
        **_image_branch(shapes),
        **_vace_branch(shapes),
    }


def check_whole(header: Header, names: Names, config: Mapping[str, Any]) -> None:
    """Raise UnreadableFile unless every parameter is there, in its shape, and no other."""
    wanted = inventory(config)
    missing = [name for name in wanted if name not in names.weights]
    if missing:
        raise UnreadableFile(
            f"The transformer is incomplete: {len(missing)} of {len(wanted)} tensors are missing, "
            f"such as {missing[0]}."
        )
    for name, key in names.weights.items():
        if name not in wanted:
            raise UnreadableFile(f"The transformer has a tensor too many: {key}.")
        if header.tensors[key].shape != wanted[name]:
            found, due = _shown(header.tensors[key].shape), _shown(wanted[name])
            raise UnreadableFile(f"{key} is {found}, but the rest of the file needs {due}.")


def _image_branch(shapes: _Shapes) -> dict[str, Any]:
    config: dict[str, Any] = {}
    if shapes.has(f"{_IMAGE}.norm1.weight"):
        config["image_dim"] = shapes.of(f"{_IMAGE}.norm1.weight", 1)[0]
    if shapes.has("blocks.0.attn2.add_k_proj.weight"):
        config["added_kv_proj_dim"] = shapes.of("blocks.0.attn2.add_k_proj.weight", 2)[1]
    if shapes.has(f"{_IMAGE}.pos_embed"):
        config["pos_embed_seq_len"] = shapes.of(f"{_IMAGE}.pos_embed", 3)[1]
    return config


def _vace_branch(shapes: _Shapes) -> dict[str, Any]:
    """VACE's blocks attach to layers evenly spread, from the first on."""
    blocks, layers = shapes.blocks("vace_blocks."), shapes.blocks("blocks.")
    if not blocks:
        return {}
    if blocks > layers:
        raise UnreadableFile(f"Its {blocks} VACE blocks do not fit its {layers} layers.")
    step = layers // blocks
    return {
        "_class_name": "WanVACETransformer3DModel",
        "vace_in_channels": shapes.of("vace_patch_embedding.weight", 5)[1],
        "vace_layers": list(range(0, step * blocks, step)),
    }


def _shown(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "one number"
