"""What is measured of an adapter: on which of its layers, with which tokens, and by which arithmetic."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from engine.inference.lora import base
from engine.inference.lora.beside import Beside
from engine.inference.lora.delta import Call, Effect, add_product
from engine.inference.lora.gram import joined

LAYERS, TOKENS = 8, 32
"""So many layers of an adapter, and so many tokens on each, both spread evenly over all there are."""


class Probe(Protocol):
    """One adapter on one layer."""

    def added(self, call: Call) -> Tensor:
        """‖ΔW x‖² over the tokens of the call; one float32 number on their device."""


@dataclass(slots=True, eq=False)
class LowRank:
    """By way of h = down x and up's Gram matrix; down [r, in] and gram [r, r] in float32."""

    down: Tensor
    gram: Tensor

    def added(self, call: Call) -> Tensor:
        """‖ΔW x‖² = hᵀ (upᵀ up) h, without ΔW x."""
        if self.down.device != call.x.device:  # experts may take turns on a device
            self.down, self.gram = self.down.to(call.x.device), self.gram.to(call.x.device)
        h = call.x.float() @ self.down.T
        return ((h @ self.gram) * h).sum().clamp_min(0)


@dataclass(frozen=True, slots=True, eq=False)
class AnyKind:
    """By applying it to the tokens."""

    effect: Effect

    def added(self, call: Call) -> Tensor:
        """‖ΔW x‖²; pairs beside other deltas (DoRA) are summed with them first."""
        y = torch.zeros_like(call.own)
        for pair in self.effect.pairs:
            scale = torch.full((pair.down.shape[0],), pair.scale, device=y.device)
            add_product(y, call.x @ pair.down.to(y).T, pair.up.to(y).T, scale)
        for delta in self.effect.deltas:
            scale = torch.full((1,), delta.scale, device=y.device)
            delta.to(y.device, y.dtype).add_to(y, scale, call)
        return y.float().square().sum()


def probe_for(effect: Effect) -> Probe:
    """The cheapest arithmetic for what an adapter adds to one layer."""
    if effect.deltas:
        return AnyKind(effect)
    down, up = joined(effect.pairs)
    return LowRank(down, up.T @ up)


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


def spread(names: Sequence[str]) -> list[str]:
    """The sample of an adapter's layers, in the model's order."""
    ordered = sorted(names, key=_natural)
    if len(ordered) <= LAYERS:
        return ordered
    return [ordered[round(i * (len(ordered) - 1) / (LAYERS - 1))] for i in range(LAYERS)]


def spread_over(tokens: Tensor) -> Tensor:
    """The sample of tokens [all, in], chosen without waiting for the device."""
    count = tokens.shape[0]
    if count <= TOKENS:
        return tokens
    chosen = torch.arange(TOKENS, device=tokens.device) * (count - 1) // (TOKENS - 1)
    return tokens.index_select(0, chosen)


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"[._]", name)]
