"""LoKr: ΔW is a Kronecker product, never formed for the output."""

from dataclasses import dataclass
from functools import reduce
from math import prod

import torch
from torch import Tensor

from engine.inference.lora.delta import Call, Delta, Effect, scaled
from engine.inference.lora.kinds.parts import Parts, folded


@dataclass(frozen=True, slots=True, eq=False)
class LoKr(Delta):
    """ΔW = scale · w1 ⊗ w2, w1 [o1, i1], w2 [o2, i2]; either one whole or as two factors."""

    w1: tuple[Tensor, ...]
    w2: tuple[Tensor, ...]
    scale: float

    @property
    def per_token(self) -> int:
        columns, rows = self.w1[-1].shape[1], self.w2[0].shape[0]
        return columns * sum(map(Tensor.numel, self.w2)) + rows * sum(map(Tensor.numel, self.w1))

    @property
    def once(self) -> int:
        return prod(factors[end].shape[end] for factors in (self.w1, self.w2) for end in (0, -1))

    def add_to(self, y: Tensor, strength: Tensor, call: Call) -> None:
        inner = call.x.reshape(-1, self.w1[-1].shape[1], self.w2[-1].shape[1])  # [tokens, i1, i2]
        for factor in reversed(self.w2):
            inner = inner @ factor.T
        for factor in reversed(self.w1):
            inner = torch.einsum("oi,tip->top", factor, inner)
        y.add_(scaled(inner.reshape(y.shape), strength))

    def add_to_weight(self, weight: Tensor, strength: Tensor, own: Tensor) -> None:
        w1, w2 = reduce(torch.matmul, self.w1), scaled(reduce(torch.matmul, self.w2), strength)
        blocks = weight.view(w1.shape[0], w2.shape[0], w1.shape[1], w2.shape[1])
        blocks.addcmul_(w1[:, None, :, None], w2[None, :, None, :])


def build(parts: Parts) -> Effect:
    """The scale is alpha / rank unless both sides are stored whole: then alpha has no meaning."""
    w1, w2 = _side(parts, "lokr_w1"), _side(parts, "lokr_w2")
    if len(w1) == len(w2) == 1:
        return Effect(deltas=(LoKr(w1, w2, parts.number("scalar", 1.0)),))
    b = parts["lokr_w2_b" if len(w2) == 2 else "lokr_w1_b"]
    return Effect(deltas=(LoKr(w1, w2, parts.scale(b.shape[0])),))


def _side(parts: Parts, side: str) -> tuple[Tensor, ...]:
    if side in parts:
        return (parts.matrix(side),)
    a, b = parts.matrix(f"{side}_a"), parts.matrix(f"{side}_b")
    if side == "lokr_w2" and "lokr_t2" in parts:  # Tucker: a is stored [r, o2]
        return a.T, folded(parts["lokr_t2"], b)
    return a, b
