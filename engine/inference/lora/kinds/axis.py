"""A factor per output or per input of a layer's own weight: IA3, and the magnitude of DoRA."""

from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor

from engine.inference.lora.delta import Call, Delta, Effect
from engine.inference.lora.kinds.parts import Parts

Axis = Literal[0, 1]
"""0: one number per output, 1: one per input."""


@dataclass(frozen=True, slots=True, eq=False)
class AxisScale(Delta):
    """ΔW = by ⊙ W along one axis; `by` stays in float32. `sizes` is (out, in)."""

    by: Tensor
    axis: Axis
    sizes: tuple[int, int]
    scale: float = 1.0

    @property
    def reads_output(self) -> bool:  # type: ignore[override]
        return self.axis == 0

    @property
    def per_token(self) -> int:
        return self.sizes[0] if self.axis == 0 else self.sizes[0] * self.sizes[1]

    @property
    def once(self) -> int:
        return self.sizes[0] * self.sizes[1]

    def to(self, device: torch.device, dtype: torch.dtype) -> Self:
        return type(self)(self.by.to(device, torch.float32), self.axis, self.sizes, self.scale)

    def add_to(self, y: Tensor, strength: Tensor, call: Call) -> None:
        by = (self.by * strength).to(y.dtype)
        if self.axis == 0:
            y.addcmul_(call.own, by)
        else:
            y.addmm_(call.x * by, call.weight().T)

    def add_to_weight(self, weight: Tensor, strength: Tensor, own: Tensor) -> None:
        by = (self.by * strength).to(weight.dtype)
        weight.addcmul_(own, by[:, None] if self.axis == 0 else by)


def build(parts: Parts) -> Effect:
    """IA3: ΔW = W ⊙ v, per output or (on_input) per input; ValueError when v is as long as the other side."""
    own = parts.own()
    out, into = own.flatten(1).shape
    by = parts["weight"].flatten().float()
    axis: Axis = 1 if parts.number("on_input", 0.0) else 0
    if by.numel() != own.shape[axis]:
        side = ("outputs", "inputs")[axis]
        raise ValueError(f"its IA³ vector holds {by.numel()} numbers for {own.shape[axis]} {side}")
    if axis == 1:
        by = by.repeat_interleave(into // by.numel())
    return Effect(deltas=(AxisScale(by, axis, (out, into)),))
