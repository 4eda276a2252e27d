"""A LoRA file made from a recipe for one base model, and the dense differences that it stands for."""

import re
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from tests.unit.inference.conformance import models
from tests.unit.inference.conformance.kinds import Kind, Layer
from tests.unit.inference.conformance.names import Style

BLOCKS = r"(vace_)?blocks\.\d+\.(attn\d\.(to_[qkv]|to_out\.0|add_[kv]_proj)|ffn\.net\.(0\.proj|2)|proj_in|proj_out)"
CONDITION = (
    r"condition_embedder\.(time_proj|(text|time)_embedder\.linear_[12]|image_embedder\.ff\.net\.(0\.proj|2))"
)
LINEARS = rf"{BLOCKS}|{CONDITION}|proj_out"
NORMS = r".*\.(norm_q|norm_k|norm_added_k|norm1|norm2)"
TABLES = r"(.*\.)?scale_shift_table"
CONVOLUTIONS = r"(vace_)?patch_embedding"
POSITIONS = r".*pos_embed"
SQUARE = r"(vace_)?blocks\.\d+\.attn\d\.(to_[qkv]|to_out\.0)"
ONE = r"blocks\.0\.attn1\.to_q"
FFN = r"(vace_)?blocks\.\d+\.ffn.*"
BLOCKS_BUT_ONE = rf"(?!{ONE}$)({BLOCKS})"

Delta = dict[str, Tensor]


@dataclass(frozen=True)
class Part:
    """One kind under one dialect's names, for every layer whose name in diffusers matches `where`."""

    style: Style
    kind: Kind
    where: str = BLOCKS
    expert: str = "high"


@dataclass
class File:
    """What is written, and what it must mean: a difference per parameter of every expert."""

    tensors: dict[str, Tensor] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    expected: dict[str, Delta] = field(default_factory=lambda: {"high": {}, "low": {}})
    ignored: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)

    def save(self, folder: Path) -> Path:
        """The file on disk."""
        path = folder / "adapter.safetensors"
        save_file(self.tensors, path, self.metadata)
        return path


@dataclass(frozen=True)
class Case:
    """A recipe for a file. It is made for the model `made_for`, or for the one it is tried on."""

    parts: tuple[Part, ...]
    metadata: Mapping[str, str] = field(default_factory=dict)
    spoil: Callable[[File, Callable[..., Tensor]], None] | None = None
    made_for: str = ""
    refused: str = ""

    @property
    def experts(self) -> tuple[str, ...]:
        """The experts that the file has something for."""
        return tuple(dict.fromkeys(part.expert for part in self.parts))


def source(seed: str) -> Callable[..., Tensor]:
    """Random float32 tensors by shape, the same for the same `seed`."""
    generator = torch.Generator().manual_seed(zlib.crc32(seed.encode()))

    def drawn(*shape: int, std: float = 0.3) -> Tensor:
        return torch.randn(shape, generator=generator) * std

    return drawn


def make(case: Case, tried_on: Mapping[str, nn.Module], seed: str) -> File:
    """The file of `case`; its keys without a place in the models that it is tried on are ignored ones."""
    file, drawn = File(metadata=dict(case.metadata)), source(seed)
    for part in case.parts:
        target = tried_on.get(part.expert)
        trained_on = models.pristine(case.made_for or "t2v") if case.made_for or target is None else target
        places = dict(target.named_parameters()) if target else {}
        parameters = dict(trained_on.named_parameters())
        for site in sites(parameters, part.where):
            _write(file, part, site, _layer(parameters, site, drawn), places)
    if case.spoil:
        case.spoil(file, drawn)
    return file


def sites(parameters: Iterable[str], where: str) -> list[str]:
    """Modules with a weight, and bare parameters, whose names match `where`."""
    names = dict.fromkeys(re.sub(r"\.(weight|bias)$", "", name) for name in parameters)
    return [name for name in names if re.fullmatch(where, name)]


def _layer(parameters: Mapping[str, Tensor], site: str, drawn: Callable[..., Tensor]) -> Layer:
    weight, bias = parameters.get(f"{site}.weight"), parameters.get(f"{site}.bias")
    weight = parameters[site] if weight is None else weight
    return Layer(weight.double(), None if bias is None else bias.double(), drawn)


def _write(file: File, part: Part, site: str, layer: Layer, places: Mapping[str, Tensor]) -> None:
    parts, delta = part.kind(layer)
    keys = {_key(part.style(site), suffix): tensor for suffix, tensor in parts.items()}
    assert not keys.keys() & file.tensors.keys()
    file.tensors |= {key: tensor.contiguous().clone() for key, tensor in keys.items()}
    place = places.get(site, places.get(f"{site}.weight"))
    if place is None or place.shape != layer.weight.shape:
        file.ignored |= keys.keys()
        return
    expected = file.expected[part.expert]
    for name, value in delta.items():
        parameter = site if site in places else f"{site}.{name}"
        expected[parameter] = expected.get(parameter, 0) + value


def _key(path: str, suffix: str) -> str:
    # the difference of a block's modulation is written at the block
    return (path.removesuffix(".modulation") if suffix == ".diff_m" else path) + suffix
