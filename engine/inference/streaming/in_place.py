"""Streaming on the CPU: weights are used where they lie in the mapped file, and then may leave memory again."""

from collections.abc import Sequence
from itertools import pairwise

import torch

from engine.inference.checkpoints.mapped import announce, forget
from engine.inference.checkpoints.stored import CastLinear
from engine.inference.streaming.units import Unit


class InPlace:
    """Blocks on the host. One that stays is held in the type that it is computed in; of the others one at a
    time is in memory, while the system reads the next from the disk.
    """

    def __init__(self, units: Sequence[Unit]) -> None:
        self._next = {id(unit): after for unit, after in pairwise(units)}
        self._away = {id(unit): unit for unit in units}

    def stay(self, unit: Unit) -> None:
        """Hold a block from now on."""
        self._away.pop(id(unit), None)
        for layer in unit.layers:
            if isinstance(layer, CastLinear):
                layer.stay(torch.device("cpu"))
                forget([layer.values])

    def leave(self, unit: Unit) -> None:
        """Hold it no longer."""
        self._away[id(unit)] = unit
        for layer in unit.layers:
            if isinstance(layer, CastLinear):
                layer.leave()
        forget(unit.weights())

    def bring(self, unit: Unit) -> None:
        """A block that does not stay is about to run."""
        if after := self._next.get(id(unit)):
            announce(after.weights())

    def take_back(self, unit: Unit) -> None:
        """It has run."""
        forget(unit.weights())

    def rest(self) -> None:
        """Nothing is under way: what was looked at meanwhile leaves memory, too."""
        for unit in self._away.values():
            forget(unit.weights())
