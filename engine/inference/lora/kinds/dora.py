"""DoRA: the changed weight keeps a trained length per output or per input, whatever changed it."""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from engine.inference.lora.delta import Call, Delta, Effect, Pair
from engine.inference.lora.kinds.axis import Axis, AxisScale
from engine.inference.lora.kinds.parts import Parts


@dataclass(frozen=True, slots=True, eq=False)
class Stretched(Delta):
    """Another delta, stretched along one axis of the weight; its scale is inside `inner`."""

    inner: Delta
    by: Tensor
    axis: Axis
    scale: float = 1.0

    @property
    def per_token(self) -> int:
        return self.inner.per_token + self.by.numel()

    @property
    def once(self) -> int:
        return 2 * self.inner.once

    def add_to(self, y: Tensor, strength: Tensor, call: Call) -> None:
        strength = strength * self.inner.scale
        if self.axis == 1:
            self.inner.add_to(y, strength, call.on(call.x * self.by))
            return
        added = torch.zeros_like(y)
        self.inner.add_to(added, strength, call)
        y.addcmul_(added, self.by)

    def add_to_weight(self, weight: Tensor, strength: Tensor, own: Tensor) -> None:
        added = torch.zeros_like(weight)
        self.inner.add_to_weight(added, strength * self.inner.scale, own)
        weight.addcmul_(added, self.by[:, None] if self.axis == 0 else self.by)


def stretch(inner: Effect, parts: Parts) -> Effect:
    """DoRA over what a pair, LoHa or LoKr adds: W' = V ⊙ g / ‖V‖ with V = W + ΔW, lengths in float32.

    ΔW' = W' − W = (c − 1) ⊙ W + c ⊙ ΔW with c = g / ‖V‖, which the strength does not enter: it is linear.
    """
    weight = parts.own()
    magnitude, axis = parts["dora_scale"].float().to(weight.device), _axis(parts["dora_scale"], weight)
    lengths = _lengths(_changed(inner, parts).view(weight.shape), axis)
    by = torch.where(lengths > 0, magnitude.flatten() / lengths, torch.ones_like(lengths))
    if axis == 1:
        by = by.repeat_interleave(weight[0, 0].numel())
    own = weight.flatten(1)
    pairs = tuple(_stretched_pair(pair, by, axis) for pair in inner.pairs)
    deltas = tuple(Stretched(delta, by, axis) for delta in inner.deltas)
    lengthened = AxisScale(by - 1, axis, (own.shape[0], own.shape[1]))
    return Effect(pairs, (*deltas, lengthened), inner.small)


def _axis(magnitude: Tensor, weight: Tensor) -> Axis:
    """By where the 1 is: [out, 1, …] and PEFT's [out] go with outputs, [1, in, …] with inputs."""
    return 0 if magnitude.ndim == 1 or magnitude.shape[0] == weight.shape[0] else 1


def _lengths(weight: Tensor, axis: Axis) -> Tensor:
    """The Euclidean length of everything that belongs to one output (or one input channel)."""
    return cast(Tensor, torch.linalg.vector_norm(weight.transpose(0, axis).flatten(1), dim=1))


def _changed(inner: Effect, parts: Parts) -> Tensor:
    own = parts.own_matrix()
    changed = own.clone()
    for pair in inner.pairs:
        changed.addmm_(pair.up.to(own), pair.down.to(own), alpha=pair.scale)
    for delta in inner.deltas:
        delta.to(own.device, own.dtype).add_to_weight(changed, own.new_tensor([delta.scale]), own)
    return changed


def _stretched_pair(pair: Pair, by: Tensor, axis: Axis) -> Pair:
    if axis == 0:
        return Pair(pair.down, pair.up.to(by) * by[:, None], pair.scale)
    return Pair(pair.down.to(by) * by, pair.up, pair.scale)
