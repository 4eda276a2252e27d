"""How large a file's change is, told by the file alone: no model, and no ΔW is made whole."""

from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from catalog.contents import damage, look_inside
from catalog.coverage import place
from catalog.file_layers import file_layers
from catalog.header import Header, read_header
from catalog.peft_alpha import alpha_rules
from engine.errors import AdapterRefused
from engine.gauge import Cell, Gauge, suggested
from engine.inference.lora.build import build, reads_model
from engine.inference.lora.delta import Delta, Effect, Pair
from engine.inference.lora.gram import effective_rank, grams, singular_values, squared_norm
from engine.inference.lora.kinds.full import Full
from engine.inference.lora.kinds.loha import LoHa
from engine.inference.lora.kinds.lokr import LoKr
from engine.inference.lora.kinds.parts import Parts
from engine.inference.lora.probe import spread
from engine.inference.lora.read import TYPES

MOST_BYTES = 8 << 30
RANKED, MOST_RANK = 96, 1024
KEPT = 200
_MATRICES = frozenset(
    {"down", "hada_w1_a", "lokr_w1", "lokr_w1_a", "diff", "set_weight", "glora_a1", "oft_blocks"}
)
_NO_LAYERS = ("scale_shift_table", "pos_embed")
_SMALL = frozenset({"diff_b", "b_norm", "up_bias"})


@dataclass(frozen=True, slots=True)
class _Layer:
    """‖ΔW‖² of one layer, of so many outputs and inputs, and its effective rank where that was asked for."""

    squared: float
    out: int
    into: int
    rank: float | None = None

    @property
    def own(self) -> float:
        """‖W‖² of such a layer as Wan's are drawn before training (Xavier): a stand-in for the real one."""
        return 2 * self.out * self.into / (self.out + self.into)


class FileGauges:
    """Measures files, one at a time; what it found is kept by content. For one thread."""

    def __init__(self) -> None:
        self._contents: dict[tuple[Path, int, int], str] = {}
        self._found: OrderedDict[str, Gauge | None] = OrderedDict()

    def gauge(self, path: Path) -> Gauge | None:
        """The numbers of a file, with no cells where all its layers depend on the model; None where it changes
        no matrix. Raises CatalogError or AdapterRefused.
        """
        header = read_header(path)
        content = self._content(path, header)
        if content not in self._found:
            self._found[content] = gauge_file(path, header)
            if len(self._found) > KEPT:
                self._found.popitem(last=False)
        return suggested(self._found[content], path.name)

    def _content(self, path: Path, header: Header) -> str:
        if header.size > MOST_BYTES:
            raise AdapterRefused(f"{path.name} is too large to be measured ({header.size / 1e9:.0f} GB).")
        stat = path.stat()
        key = path, stat.st_size, stat.st_mtime_ns
        if key not in self._contents:
            contents = look_inside(path, header)
            if damage(contents):
                raise AdapterRefused(damage(contents))
            self._contents[key] = contents.sha256
        return self._contents[key]


@torch.inference_mode()
def gauge_file(path: Path, header: Header) -> Gauge | None:
    """Sizes and effective ranks of a file whose numbers are sound, layer by layer, so that little memory is
    needed. None where it changes no matrix.
    """
    cells: dict[tuple[str, str], list[_Layer]] = defaultdict(list)
    unsized = 0
    with path.open("rb") as file:
        for module, layer in _layers(header, file):
            if layer is None:
                unsized += 1
            else:
                cells[place(module)].append(layer)
    every = [layer for layers in cells.values() for layer in layers]
    if not every:
        return Gauge((), 0.0, norm=0.0, unsized=unsized) if unsized else None
    found = tuple(_cell(block, layer, layers) for (block, layer), layers in cells.items())
    return Gauge(found, _ratio(every), norm=_norm(every), unsized=unsized)


def _layers(header: Header, file: BinaryIO) -> Iterator[tuple[str, _Layer | None]]:
    """Every module whose matrix is changed, with its size; None where that depends on the model."""
    layers = file_layers(header.tensors).layers
    rules = {expert: alpha_rules(header.metadata, expert) for expert in {expert for expert, _ in layers}}
    ranked = set(spread([module for _, module in layers], RANKED))
    for (expert, module), keys in layers.items():
        if module.endswith(_NO_LAYERS) or not _changes_matrix(header, keys):
            continue
        if reads_model(frozenset(keys)) or rules[expert].problem:
            yield module, None
            continue
        read = {part: _tensor(file, header, key) for part, key in keys.items() if part not in _SMALL}
        try:
            yield module, _size(build(Parts(module, read, rules[expert]), "weight", True), module in ranked)
        except AdapterRefused:  # a part is missing or misshapen: the coverage says so
            yield module, None


def _changes_matrix(header: Header, keys: Mapping[str, str]) -> bool:
    is_matrix = (len(header.tensors[key].shape) > 1 for part, key in keys.items() if part in _MATRICES)
    return any(is_matrix) or "on_input" in keys


def _tensor(file: BinaryIO, header: Header, key: str) -> Tensor:
    info = header.tensors[key]
    file.seek(header.data_start + info.start)
    data = file.read(info.end - info.start)
    if len(data) < info.end - info.start:
        raise AdapterRefused("The file changed while it was being read.")
    if not data:
        return torch.zeros(info.shape)
    return torch.frombuffer(bytearray(data), dtype=TYPES[info.dtype]).view(info.shape)


def _size(effect: Effect, is_ranked: bool) -> _Layer | None:
    if effect.pairs and not effect.deltas:
        return _of_pairs(effect.pairs, is_ranked)
    if len(effect.deltas) == 1 and not effect.pairs:
        return _of_delta(effect.deltas[0], is_ranked)
    return None


def _of_pairs(pairs: tuple[Pair, ...], is_ranked: bool) -> _Layer:
    down, up = grams(pairs)
    rank = effective_rank(singular_values(down, up)) if is_ranked else None
    return _Layer(squared_norm(down, up), pairs[0].up.shape[0], pairs[0].down.shape[1], rank)


def _of_delta(delta: Delta, is_ranked: bool) -> _Layer | None:
    match delta:
        case Full():
            weight = delta.weight
            return _Layer((delta.scale * _plain_norm(weight)) ** 2, *weight.shape)
        case LoKr():
            sides = [_product(factors) for factors in (delta.w1, delta.w2)]
            out, into = (prod(f[end].shape[end] for f in (delta.w1, delta.w2)) for end in (0, -1))
            return _Layer(delta.scale**2 * sides[0] * sides[1], out, into)
        case LoHa() if delta.a1.shape[1] * delta.a2.shape[1] <= MOST_RANK:
            return _of_pairs((_as_pair(delta),), is_ranked)
    return None


def _product(factors: tuple[Tensor, ...]) -> float:
    """‖a b‖² of two factors, or ‖a‖² of one."""
    if len(factors) == 1:
        return _plain_norm(factors[0]) ** 2
    return squared_norm(*grams((Pair(factors[1], factors[0]),)))


def _as_pair(delta: LoHa) -> Pair:
    """(a1 b1) ⊙ (a2 b2) as one pair of the product of both ranks."""
    down = (delta.b1.float()[:, None, :] * delta.b2.float()[None, :, :]).flatten(0, 1)
    up = (delta.a1.float()[:, :, None] * delta.a2.float()[:, None, :]).flatten(1)
    return Pair(down, up, delta.scale)


def _plain_norm(matrix: Tensor) -> float:
    return float(torch.linalg.vector_norm(matrix.float()))


def _cell(block: str, layer: str, layers: list[_Layer]) -> Cell:
    ranks = [each.rank for each in layers if each.rank is not None]
    return Cell(block, layer, _ratio(layers), sum(ranks) / len(ranks) if ranks else None, _norm(layers))


def _ratio(layers: list[_Layer]) -> float:
    return float((sum(each.squared for each in layers) / sum(each.own for each in layers)) ** 0.5)


def _norm(layers: list[_Layer]) -> float:
    return float(sum(each.squared for each in layers) ** 0.5)
