"""LoHa: ΔW is the elementwise product of two low-rank products."""

from dataclasses import dataclass

from torch import Tensor

from engine.inference.lora.delta import Call, Delta, Effect, add_product, scaled
from engine.inference.lora.kinds.parts import Parts, folded


@dataclass(frozen=True, slots=True, eq=False)
class LoHa(Delta):
    """ΔW = scale · (a1 b1) ⊙ (a2 b2); a [out, r], b [r, in]."""

    a1: Tensor
    b1: Tensor
    a2: Tensor
    b2: Tensor
    scale: float

    @property
    def _sizes(self) -> tuple[int, int, int]:
        return self.a1.shape[0], self.b1.shape[1], self.a1.shape[1] * self.a2.shape[1]

    @property
    def per_token(self) -> int:
        out, into, rank = self._sizes
        return min(rank * (out + into), out * into)

    @property
    def once(self) -> int:
        out, into, _ = self._sizes
        return (self.a1.shape[1] + self.a2.shape[1] + 1) * out * into

    def add_to(self, y: Tensor, strength: Tensor, call: Call) -> None:
        out, into, rank = self._sizes
        rows = call.x.shape[0]
        if rows * rank * (out + into) < self.once + rows * out * into:
            # the same as a pair of rank r², made anew because keeping it would cost r times the memory
            down = (self.b1[:, None, :] * self.b2[None, :, :]).flatten(0, 1)
            up = (self.a1[:, :, None] * self.a2[:, None, :]).flatten(1)
            add_product(y, call.x @ down.T, up.T, strength)
        else:
            add_product(y, call.x, self._product().T, strength)

    def add_to_weight(self, weight: Tensor, strength: Tensor, own: Tensor) -> None:
        weight.add_(scaled(self._product(), strength))

    def _product(self) -> Tensor:
        return (self.a1 @ self.b1).mul_(self.a2 @ self.b2)


def build(parts: Parts) -> Effect:
    """Tucker's core, if there is one, is folded into b: then a is stored [r, out]."""
    (a1, b1), (a2, b2) = _factors(parts, "1"), _factors(parts, "2")
    return Effect(deltas=(LoHa(a1, b1, a2, b2, parts.scale(b1.shape[0])),))


def _factors(parts: Parts, which: str) -> tuple[Tensor, Tensor]:
    a, b = parts.matrix(f"hada_w{which}_a"), parts.matrix(f"hada_w{which}_b")
    core = f"hada_t{which}"
    return (a.T, folded(parts[core], b)) if core in parts else (a, b)
