"""Whole differences: diff, diff_b, set_weight, and those of norms and small parameters."""

from dataclasses import dataclass

from torch import Tensor

from engine.inference.lora.delta import Call, Delta, Effect, SmallDelta, add_product, scaled
from engine.inference.lora.kinds.parts import Parts


@dataclass(frozen=True, slots=True, eq=False)
class Full(Delta):
    """ΔW as it is [out, in]."""

    weight: Tensor
    scale: float = 1.0

    @property
    def per_token(self) -> int:
        return self.weight.numel()

    @property
    def once(self) -> int:
        return self.weight.numel()

    def add_to(self, y: Tensor, strength: Tensor, call: Call) -> None:
        add_product(y, call.x, self.weight.T, strength)

    def add_to_weight(self, weight: Tensor, strength: Tensor, own: Tensor) -> None:
        weight.add_(scaled(self.weight, strength))


def whole(parts: Parts, part: str) -> Effect:
    """The difference of a layer's whole weight; set_weight says the value itself, linear in the strength."""
    if part == "set_weight":
        own = parts.own_matrix()
        return Effect(deltas=(Full(parts[part].to(own).reshape(own.shape) - own),))
    return Effect(deltas=(Full(parts[part].flatten(1)),))


def small(parts: Parts, part: str, parameter: str) -> Effect:
    """The difference of a bias, a norm or a bare parameter."""
    value = parts[part].float()
    if part == "set_weight":
        own = parts.own(parameter)
        value = value.to(own.device).reshape(own.shape) - own
    return Effect(small=(SmallDelta(parameter, value),))
