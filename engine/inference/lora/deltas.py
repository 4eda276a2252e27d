"""What an adapter adds to one linear layer: one class per kind.

Every delta is ΔW = scale · (something made of the file's factors), independent of the user's strength.
Factors keep the file's values; the scale stays a Python float, so half precision never rounds it in.
"""

from typing import cast

import torch
from torch import Tensor, nn


class Delta(nn.Module):
    """ΔW of one linear layer [out, in], as factors that move with the layer but never enter its state dict."""

    def __init__(self, scale: float, **factors: Tensor) -> None:
        super().__init__()
        self.scale = scale
        for name, factor in factors.items():
            self.register_buffer(name, factor, persistent=False)

    @property
    def shape(self) -> tuple[int, int]:
        """(out, in) of the layer that it fits."""
        raise NotImplementedError

    def add_to(self, y: Tensor, x: Tensor, strength: float) -> None:
        """y += strength · ΔW x, in place; x [..., in], y [..., out]."""
        raise NotImplementedError

    def weight(self) -> Tensor:
        """ΔW [out, in], dense, in the factors' dtype."""
        raise NotImplementedError

    def _factor(self, name: str) -> Tensor:
        return cast(Tensor, getattr(self, name))


def _rows(tensor: Tensor) -> Tensor:
    """All leading axes as one; a view, so that adding in place reaches the caller's tensor."""
    return tensor.view(-1, tensor.shape[-1])


class LowRank(Delta):
    """LoRA: ΔW = scale · up @ down, down [r, in], up [out, r]."""

    def __init__(self, down: Tensor, up: Tensor, scale: float) -> None:
        super().__init__(scale, down=down, up=up)

    @property
    def shape(self) -> tuple[int, int]:
        return self._factor("up").shape[0], self._factor("down").shape[1]

    def add_to(self, y: Tensor, x: Tensor, strength: float) -> None:
        inner = x.reshape(-1, x.shape[-1]) @ self._factor("down").T
        _rows(y).addmm_(inner, self._factor("up").T, alpha=strength * self.scale)

    def weight(self) -> Tensor:
        return self._factor("up") @ self._factor("down") * self.scale


class LoHa(Delta):
    """Hadamard product: ΔW = scale · (w1_a @ w1_b) ⊙ (w2_a @ w2_b), w*_a [out, r], w*_b [r, in]."""

    def __init__(self, w1_a: Tensor, w1_b: Tensor, w2_a: Tensor, w2_b: Tensor, scale: float) -> None:
        super().__init__(scale, w1_a=w1_a, w1_b=w1_b, w2_a=w2_a, w2_b=w2_b)

    @property
    def shape(self) -> tuple[int, int]:
        return self._factor("w1_a").shape[0], self._factor("w1_b").shape[1]

    def _product(self) -> Tensor:
        f = self._factor
        return (f("w1_a") @ f("w1_b")).mul_(f("w2_a") @ f("w2_b"))

    def add_to(self, y: Tensor, x: Tensor, strength: float) -> None:
        # Two r-wide products make ΔW anew; next to the tokens' own matmul that is little, and no
        # dense copy has to be kept for each layer.
        _rows(y).addmm_(x.reshape(-1, x.shape[-1]), self._product().T, alpha=strength * self.scale)

    def weight(self) -> Tensor:
        return self._product() * self.scale


class LoKr(Delta):
    """Kronecker product: ΔW = scale · w1 ⊗ w2, w1 [o1, i1], w2 [o2, i2], either one given as two factors."""

    def __init__(self, w1: tuple[Tensor, ...], w2: tuple[Tensor, ...], scale: float) -> None:
        names = {1: ("{}",), 2: ("{}_a", "{}_b")}
        factors: dict[str, Tensor] = {}
        for side, parts in (("w1", w1), ("w2", w2)):
            factors |= {n.format(side): p for n, p in zip(names[len(parts)], parts, strict=True)}
        super().__init__(scale, **factors)

    def _side(self, side: str) -> Tensor:
        if hasattr(self, side):
            return self._factor(side)
        return self._factor(f"{side}_a") @ self._factor(f"{side}_b")

    def _sides(self, side: str) -> tuple[int, int]:
        if hasattr(self, side):
            rows, columns = self._factor(side).shape
            return rows, columns
        return self._factor(f"{side}_a").shape[0], self._factor(f"{side}_b").shape[1]

    @property
    def shape(self) -> tuple[int, int]:
        (o1, i1), (o2, i2) = self._sides("w1"), self._sides("w2")
        return o1 * o2, i1 * i2

    def add_to(self, y: Tensor, x: Tensor, strength: float) -> None:
        w1, w2 = self._side("w1"), self._side("w2")
        inner = x.reshape(-1, w1.shape[1], w2.shape[1]) @ w2.T  # [tokens, i1, o2]
        added = torch.einsum("oi,tip->top", w1, inner).reshape(y.shape)
        y.add_(added, alpha=strength * self.scale)

    def weight(self) -> Tensor:
        return torch.kron(self._side("w1"), self._side("w2")) * self.scale
