"""How large the parts of a model are, read from the headers of its files; no weights are read."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

from catalog.gguf import read_any_header
from catalog.header import DTYPE_BYTES, TensorInfo
from catalog.model_assembly import read_assembly
from catalog.models import Expert, ModelInfo

_BLOCK = re.compile(r"(?:^|\.)((?:vace_|encoder\.|enc\.)?(?:blocks?|blk)\.\d+)\.")
_HEAD = re.compile(r"decoder\.(?:norm_out|head\.0)\.gamma$")
_FLOAT32 = 4  # the VAE everywhere, since half precision shows banding; and the image encoder
_PATCHED = 12  # a VAE that puts out four pixels' colours at a time


@dataclass(frozen=True, slots=True)
class Bytes:
    """Of some weights: as the file has them, as they are when all stay in memory, and with every one of them
    in the type that is computed in."""

    stored: int = 0
    computed: int = 0
    whole: int = 0

    def __add__(self, other: "Bytes") -> "Bytes":
        return Bytes(self.stored + other.stored, self.computed + other.computed, self.whole + other.whole)


@dataclass(frozen=True, slots=True)
class Blocks:
    """A model of equal blocks: one block, how many there are, and all that is outside of them.

    `widest` is the largest weight made whole, `composed` one weight of each shape in a block. `is_cast` says that weights are made whole only while they are
    streamed; where it is false and `widest` is not 0 they are (8 bits, GGUF) at every use.
    """

    count: int
    block: Bytes
    rest: Bytes
    widest: int
    is_cast: bool
    composed: int = 0


@dataclass(frozen=True, slots=True)
class Transformer(Blocks):
    """One expert; `width` and `ffn` are those of its layers."""

    width: int = 0
    ffn: int = 0


@dataclass(frozen=True, slots=True)
class ModelSizes:
    """All parts of one model for one way of computing: `item` bytes per number.

    `vae_width` are the channels of the VAE's last layers, each for `vae_patch`² pixels, `vae_width_in` those
    of its first ones. `image_encoder` are the bytes of one that rests on this device: it never leaves the host.
    """

    experts: Mapping[Expert, Transformer]
    text_encoder: Blocks
    vae: int
    vae_width: int
    vae_patch: int
    item: int
    expands_timesteps: bool = False
    vae_width_in: int = 96
    image_encoder: int = 0


def model_sizes(info: ModelInfo, item: int, is_host: bool = False) -> ModelSizes:
    """The sizes of a model when `item` bytes are computed with per number, by the host itself or another device.

    Raises CatalogError or OSError.
    """
    parts = _parts(info)
    vae = _tensors(parts["vae"])
    heads = [t for name, t in vae.items() if _HEAD.search(name)]
    outs = [t.shape[0] for name, t in vae.items() if re.search(r"decoder\.(conv_out|head\.2)\.bias$", name)]
    ins = [t.shape[0] for name, t in vae.items() if re.search(r"encoder\.(conv_in|conv1)\.bias$", name)]
    sees = is_host and "image_encoder" in parts and parts["image_encoder"].exists()
    images = _tensors(parts["image_encoder"]).values() if sees else ()
    return ModelSizes(
        experts={e: _transformer(_tensors(parts[e]), info.width_inner, item) for e in info.experts},
        text_encoder=_blocks(_tensors(parts["text_encoder"]), item),
        vae=sum(tensor.parameters for tensor in vae.values()) * _FLOAT32,
        vae_width=heads[0].shape[0] if heads else 96,
        vae_patch=2 if outs and outs[0] == _PATCHED else 1,
        item=item,
        expands_timesteps=info.size_multiple == 32,
        vae_width_in=ins[0] if ins else 96,
        image_encoder=sum(tensor.parameters for tensor in images) * _FLOAT32,
    )


def _parts(info: ModelInfo) -> Mapping[str, Path]:
    if not info.path.is_dir():
        return {str(part): path for part, path in read_assembly(info.path).parts.items()}
    folders = {"high": "transformer", "low": "transformer_2"}
    same = ("text_encoder", "vae", "image_encoder")
    return {part: info.path / folder for part, folder in (*folders.items(), *((each, each) for each in same))}


def _tensors(path: Path) -> dict[str, TensorInfo]:
    """All tensors of a file, or of a component's folder."""
    files: Iterable[Path] = sorted(path.glob("*.safetensors")) if path.is_dir() else [path]
    return {name: tensor for file in files for name, tensor in read_any_header(file).tensors.items()}


def _transformer(tensors: Mapping[str, TensorInfo], width: int, item: int) -> Transformer:
    found = _blocks(tensors, item)
    inner = [max(t.shape) for n, t in tensors.items() if _BLOCK.search(n) and len(t.shape) == 2]
    return Transformer(
        found.count,
        found.block,
        found.rest,
        found.widest,
        found.is_cast,
        found.composed,
        width,
        max(inner, default=4 * width),
    )


def _blocks(tensors: Mapping[str, TensorInfo], item: int) -> Blocks:
    blocks: dict[str, Bytes] = defaultdict(Bytes)
    widest, is_cast, shapes = 0, True, set[tuple[int, ...]]()
    for name, tensor in tensors.items():
        match = _BLOCK.search(name)
        blocks[match[1] if match else ""] += _bytes(name, tensor, item)
        if match and _is_linear(name, tensor):
            shapes.add(tensor.shape)
        if match and _is_linear(name, tensor) and tensor.end - tensor.start != tensor.parameters * item:
            widest = max(widest, tensor.parameters * item)
            is_cast = is_cast and not _stays_packed(name, tensor)
    rest = blocks.pop("", Bytes())
    largest = max(blocks.values(), key=lambda block: block.computed, default=Bytes())
    composed = sum(prod(shape) for shape in shapes) * item
    return Blocks(len(blocks), largest, rest, widest, is_cast, composed)


def _bytes(name: str, tensor: TensorInfo, item: int) -> Bytes:
    stored = tensor.end - tensor.start
    whole = tensor.parameters * item
    return Bytes(stored, stored if _stays_packed(name, tensor) else whole, whole)


def _stays_packed(name: str, tensor: TensorInfo) -> bool:
    """Whether a weight stays in fewer than 16 bits, to be made whole at every use."""
    return _is_linear(name, tensor) and DTYPE_BYTES.get(tensor.dtype, 1) == 1


def _is_linear(name: str, tensor: TensorInfo) -> bool:
    return name.endswith(".weight") and len(tensor.shape) == 2
