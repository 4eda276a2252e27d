"""Orthogonal fine-tuning: the layer's own outputs are turned, in blocks (diag-OFT) or a butterfly of them (BOFT)."""

from dataclasses import dataclass
from typing import ClassVar, Self, cast

import torch
from torch import Tensor

from engine.inference.lora.delta import Call, Delta, Effect, scaled
from engine.inference.lora.kinds.parts import Parts


class _Turning(Delta):
    """What turning the outputs costs; it reads the layer's own."""

    __slots__ = ()
    reads_output: ClassVar[bool] = True
    turns: Tensor
    inputs: int

    @property
    def per_token(self) -> int:
        return self.turns.numel()

    @property
    def once(self) -> int:
        return self.turns.numel() * self.inputs


@dataclass(frozen=True, slots=True, eq=False)
class Rotation(_Turning):
    """ΔW = blockdiag(turns) W; turns [n, b, b] are the rotations (rescaled) minus the identity."""

    turns: Tensor
    inputs: int
    scale: float = 1.0

    def add_to(self, y: Tensor, strength: Tensor, call: Call) -> None:
        blocks, side = self.turns.shape[:2]
        own = call.own.view(-1, blocks, side).transpose(0, 1)  # [n, tokens, b]
        added = own @ scaled(self.turns, strength).transpose(1, 2)
        y.view(-1, blocks, side).add_(added.transpose(0, 1))

    def add_to_weight(self, weight: Tensor, strength: Tensor, own: Tensor) -> None:
        blocks, side = self.turns.shape[:2]
        rows = (blocks, side, -1)
        weight.view(rows).baddbmm_(scaled(self.turns, strength), own.view(rows))


@dataclass(frozen=True, slots=True, eq=False)
class Butterfly(_Turning):
    """ΔW = (product of the stages, rescaled) W − W; turns [stages, n, b, b], rescale [out], all in float32."""

    turns: Tensor
    rescale: Tensor
    inputs: int
    scale: float = 1.0

    def to(self, device: torch.device, dtype: torch.dtype) -> Self:
        wide = torch.float32  # the difference of nearly equal matrices
        return type(self)(self.turns.to(device, wide), self.rescale.to(device, wide), self.inputs, self.scale)

    def add_to(self, y: Tensor, strength: Tensor, call: Call) -> None:
        y.add_(self._difference(call.own.T).T.mul_(strength).to(y.dtype))

    def add_to_weight(self, weight: Tensor, strength: Tensor, own: Tensor) -> None:
        weight.add_(self._difference(own).mul_(strength).to(weight.dtype))

    def _difference(self, rows: Tensor) -> Tensor:
        """What turning adds to rows [out, any]."""
        rows = rows.float()
        out, side = rows.shape[0], self.turns.shape[-1]
        turned = rows
        for stage, blocks in enumerate(self.turns):
            reach = 2**stage * side // 2  # how far apart the two halves of a block come from
            turned = turned.reshape(-1, 2, reach, turned.shape[1]).transpose(1, 2)
            turned = blocks @ turned.reshape(len(blocks), side, -1)
            turned = turned.reshape(-1, reach, 2, turned.shape[-1]).transpose(1, 2).reshape(out, -1)
        return turned * self.rescale[:, None] - rows


def build(parts: Parts) -> Effect:
    """Rotations from Cayley's map of X − Xᵀ, X = oft_blocks.

    `alpha` holds the constraint: with LyCORIS' training module, its unit is the number of outputs.
    """
    blocks = parts["oft_blocks"].double()
    out, inputs = blocks.shape[-3] * blocks.shape[-1], parts.own_matrix().shape[1]
    turns = _rotations(blocks, parts.number("alpha", 0.0) * out)
    rescale = parts["rescale"].double().flatten() if "rescale" in parts else blocks.new_ones(out)
    if blocks.ndim == 4:
        return Effect(deltas=(Butterfly(turns.float(), rescale.float(), inputs),))
    turns = turns.transpose(1, 2) * rescale.view(turns.shape[0], -1, 1)
    return Effect(deltas=(Rotation((turns - torch.eye(turns.shape[-1])).float(), inputs),))


def _rotations(blocks: Tensor, most: float) -> Tensor:
    """(I + Q)(I − Q)⁻¹ with Q = X − Xᵀ, shortened to `most` over all blocks where that is above 0."""
    skew = blocks - blocks.transpose(-1, -2)
    length = float(skew.norm())
    if 0 < most < length:
        skew = skew * (most / length)
    identity = torch.eye(blocks.shape[-1], dtype=blocks.dtype, device=blocks.device)
    return cast(Tensor, torch.linalg.solve(identity - skew, identity + skew, left=False))
