"""What listens at one layer: the norms of its own answer and of what each adapter adds to it."""

from collections.abc import Collection
from typing import Protocol

import torch
from torch import Tensor, nn

from engine.inference.lora import base
from engine.inference.lora.delta import Call
from engine.inference.lora.probe import Factored, Probe, is_small, norm


class Ear(Protocol):
    """One layer's own weight and its probes."""

    counts: tuple[int, ...]
    """How many of the numbers that `norms` gives belong to the own weight, then to each probe."""

    def norms(self, layer: nn.Module, x: Tensor) -> Tensor:
        """Of tokens [count, in] to the layer: float32 norms on their device. Of each that `counts` tells
        apart, the squares add up to that of the whole.
        """


class Apart:
    """One probe after the other."""

    def __init__(self, probes: Collection[Probe]) -> None:
        self.counts = (1,) * (1 + len(probes))
        self._probes = tuple(probes)

    def norms(self, layer: nn.Module, x: Tensor) -> Tensor:
        """‖W x‖ and each ‖ΔW x‖."""
        weight = base.matrix(layer).to(x)
        y = x @ weight.T
        call = Call(x, y, None, lambda: weight)
        return torch.stack([norm(y), *(probe.added(call) for probe in self._probes)])


class Together:
    """All in one product: on a small layer calling the processor costs more than the arithmetic."""

    def __init__(self, own: Tensor, probes: Collection[Factored]) -> None:
        factors = [own.float(), *(probe.factor.to(own.device) for probe in probes)]
        self.counts = tuple(len(factor) for factor in factors)
        self._factor = torch.cat(factors)  # [all, in]

    def norms(self, layer: nn.Module, x: Tensor) -> Tensor:
        """Over the tokens, of each row of W and of the factors."""
        if self._factor.device != x.device:
            self._factor = self._factor.to(x.device)
        found: Tensor = torch.linalg.vector_norm(self._factor @ x.float().T, dim=1)
        return found


def ear_for(layer: nn.Module, probes: Collection[Probe]) -> Ear:
    """The cheapest way to hear all of them."""
    factored = [probe for probe in probes if isinstance(probe, Factored)]
    if is_small(layer) and len(factored) == len(probes):
        return Together(base.matrix(layer), factored)
    return Apart(probes)
