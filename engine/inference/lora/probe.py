"""What is measured of an adapter: on which of its layers, with which tokens, and by which arithmetic."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from engine.inference.lora import base
from engine.inference.lora.beside import Beside
from engine.inference.lora.delta import Call, Effect, Pair, add_product
from engine.inference.lora.gram import dense, joined

LAYERS, TOKENS = 8, 24
"""So many layers of an adapter, and so many tokens on each, both spread evenly over all there are."""
TURNS = 3
SMALL = 1 << 18


class Probe(Protocol):
    """One adapter on one layer."""

    def added(self, call: Call) -> Tensor:
        """‖ΔW x‖ over the tokens of the call; one float32 number on their device."""


@dataclass(slots=True, eq=False)
class Factored:
    """‖ΔW x‖ = ‖factor x‖, with a factor [rows, in] in float32.

    For up down = Q R down it is R down: the product is as wide as the rank, not as the layer.
    """

    factor: Tensor

    def added(self, call: Call) -> Tensor:
        """‖ΔW x‖, without ΔW x."""
        if self.factor.device != call.x.device:  # experts may take turns on a device
            self.factor = self.factor.to(call.x.device)
        return norm(call.x.float() @ self.factor.T)


class AnyKind:
    """By applying it to the tokens."""

    def __init__(self, effect: Effect) -> None:
        self._effect = effect
        self._device: torch.device | None = None
        self._scales: list[Tensor] = []

    def added(self, call: Call) -> Tensor:
        """‖ΔW x‖; pairs beside other deltas (DoRA) are summed with them first."""
        y = torch.zeros_like(call.own)
        self._follow(y)
        scales = iter(self._scales)
        for pair in self._effect.pairs:
            add_product(y, call.x @ pair.down.T, pair.up.T, next(scales))
        for delta in self._effect.deltas:
            delta.add_to(y, next(scales), call)
        return norm(y)

    def _follow(self, y: Tensor) -> None:
        """Be where the layer is now, in the type that it computes in."""
        if y.device == self._device:
            return
        effect, self._device = self._effect, y.device
        pairs = tuple(Pair(pair.down.to(y), pair.up.to(y), pair.scale) for pair in effect.pairs)
        self._effect = Effect(pairs, tuple(delta.to(y.device, y.dtype) for delta in effect.deltas))
        ranks = [(pair.down.shape[0], pair.scale) for pair in pairs]
        ranks += [(1, delta.scale) for delta in effect.deltas]
        self._scales = [torch.full((count,), scale, device=y.device) for count, scale in ranks]


def probe_for(effect: Effect, layer: nn.Module) -> Probe:
    """The cheapest arithmetic for what an adapter adds to one layer."""
    if not effect.deltas:
        down, up = joined(effect.pairs)
        return Factored(torch.linalg.qr(up, mode="r").R @ down)
    return Factored(dense(effect, layer).float()) if is_small(layer) else AnyKind(effect)


def is_small(layer: nn.Module) -> bool:
    """Whether a layer's weight is so small that whole matrices of its size cost nothing."""
    return prod(base.weight_shape(layer)) <= SMALL


def resting(places: Iterable[tuple[Beside, Effect]]) -> float | None:
    """‖Δ‖ / ‖own‖ of the small parameters of an adapter that changes no matrix, root mean square; they
    meet no tokens that could be sampled. None where it changes nothing.
    """
    squares = []
    for beside, effect in places:
        for small in effect.small:
            own = float(base.parameter(beside.module, small.parameter).float().norm())
            squares += [(small.scale * float(small.value.norm()) / own) ** 2] if own else []
    return (sum(squares) / len(squares)) ** 0.5 if squares else None


def spread(names: Iterable[str], count: int = LAYERS) -> list[str]:
    """A sample of an adapter's layers, in the model's order."""
    ordered = sorted(names, key=_natural)
    if len(ordered) <= count:
        return ordered
    return [ordered[round(i * (len(ordered) - 1) / (count - 1))] for i in range(count)]


def spread_over(tokens: Tensor) -> Tensor:
    """The sample of tokens [all, in], a view. The steps are odd, so that they do not go down one column."""
    count = tokens.shape[0]
    return tokens if count <= TOKENS else tokens[:: -(-count // TOKENS) | 1]


def norm(numbers: Tensor) -> Tensor:
    """Of all numbers together, in float32."""
    return cast(Tensor, torch.linalg.vector_norm(numbers, dtype=torch.float32))


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"[._]", name)]
