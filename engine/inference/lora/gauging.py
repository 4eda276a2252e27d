"""A file's own numbers on the loaded model: how large its change of every layer is, and of which rank."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from catalog.coverage import place
from catalog.models import Expert
from engine.gauge import Cell, Gauge
from engine.inference.lora import base
from engine.inference.lora.beside import Beside
from engine.inference.lora.delta import Pair
from engine.inference.lora.gram import dense, effective_rank, grams, singular_values, squared_norm
from engine.inference.lora.probe import spread

RANKED = 96
"""Of so many layers, spread over all, the rank is worked out: that takes milliseconds each, sizes do not."""


@dataclass(slots=True)
class _Sums:
    """‖ΔW‖² and ‖W‖² of the layers in one cell, and their effective ranks."""

    change: float = 0.0
    own: float = 0.0
    ranks: tuple[float, ...] = ()

    def cell(self, block: str, layer: str) -> Cell:
        """The cell as it is shown."""
        rank = sum(self.ranks) / len(self.ranks) if self.ranks else None
        return Cell(block, layer, (self.change / self.own) ** 0.5 if self.own else 0.0, rank)


class _LowRank:
    """Sizes and effective ranks of an adapter's pairs, worked out once where experts share them."""

    def __init__(self, beside: Mapping[Expert, Mapping[str, Beside]], adapter: str) -> None:
        on = {name for places in beside.values() for name, b in places.items() if b.of(adapter).pairs}
        self._ranked = frozenset(spread(on, RANKED))
        self._seen: dict[int, tuple[float, tuple[float, ...]]] = {}

    def add_to(self, sums: _Sums, module: str, pairs: tuple[Pair, ...]) -> None:
        """Count the pairs of one layer."""
        key = id(pairs[0])
        if key not in self._seen:
            down, up = grams(pairs)
            found = [effective_rank(singular_values(down, up))] if module in self._ranked else []
            self._seen[key] = squared_norm(down, up), tuple(found)
        change, ranks = self._seen[key]
        sums.change += change
        sums.ranks += ranks


class Gauging:
    """Gauges the adapters beside one model. The norms of the model's own weights are measured once."""

    def __init__(self, beside: Mapping[Expert, Mapping[str, Beside]]) -> None:
        self._beside = beside
        self._own: dict[tuple[Expert, str], float] = {}

    def gauge(self, adapter: str) -> Gauge | None:
        """The numbers of an adapter that is attached; None where it changes no matrix, or where the device
        has no room for one more of them.
        """
        try:
            with torch.inference_mode():
                return self._gauge(adapter)
        except torch.OutOfMemoryError:
            return None

    def _gauge(self, adapter: str) -> Gauge | None:
        cells: dict[tuple[str, str], _Sums] = defaultdict(_Sums)
        low_rank = _LowRank(self._beside, adapter)
        for expert, places in self._beside.items():
            for module, beside in places.items():
                effect = beside.of(adapter)
                if effect.pairs or effect.deltas:
                    sums = cells[place(module)]
                    if effect.deltas:
                        # what is no low-rank product would be made whole to be played fast, too
                        sums.change += _squared(dense(effect, beside.module))
                    else:
                        low_rank.add_to(sums, module, effect.pairs)
                    sums.own += self._own_size(expert, module, beside.module)
        if not cells:
            return None
        change, own = (sum(getattr(sums, name) for sums in cells.values()) for name in ("change", "own"))
        found = tuple(sums.cell(*where) for where, sums in cells.items())
        return Gauge(found, (change / own) ** 0.5 if own else 0.0)

    def _own_size(self, expert: Expert, module: str, layer: nn.Module) -> float:
        key = (expert, module)
        if key not in self._own:
            self._own[key] = _squared(base.matrix(layer))
        return self._own[key]


def _squared(matrix: Tensor) -> float:
    return float(torch.linalg.vector_norm(matrix, dtype=torch.float32)) ** 2
