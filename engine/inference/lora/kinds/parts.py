"""The tensors of one layer of one file, as the kinds read them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from catalog.peft_alpha import HUGE_ALPHA, NO_RULES, AlphaRules
from engine.inference.lora.scale import pair_scale


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Canonical part (catalog.key_suffixes.PARTS) → tensor, for one module of the model.

    `parameter` reads one of the module's own parameters as it is stored; `rules` are what the file's
    metadata states about scales.
    """

    module: str
    tensors: Mapping[str, Tensor]
    rules: AlphaRules = NO_RULES
    parameter: Callable[[str], Tensor] | None = None

    def __contains__(self, part: str) -> bool:
        return part in self.tensors

    def __getitem__(self, part: str) -> Tensor:
        return self.tensors[part]

    def matrix(self, part: str) -> Tensor:
        """A factor [rows, columns·kernel], as stored."""
        return self.tensors[part].flatten(1)

    def number(self, part: str, default: float) -> float:
        """A part that is one number."""
        return float(self.tensors[part].flatten()[0]) if part in self.tensors else default

    def scale(self, rank: int, rules: AlphaRules = NO_RULES) -> float:
        """alpha / rank (else what `rules` say, else 1), times the `scalar` that some files hold.

        ValueError where that is larger than any trainer means.
        """
        alpha = self.number("alpha", 0.0) if "alpha" in self.tensors else None
        scale = pair_scale(rank, alpha, rules, self.module) * self.number("scalar", 1.0)
        if abs(scale) >= HUGE_ALPHA:
            raise ValueError(f"its alpha would multiply it by {scale:.3g}")
        return scale

    def own(self, parameter: str = "weight") -> Tensor:
        """The module's own parameter in float32."""
        assert self.parameter is not None
        return self.parameter(parameter).float()

    def own_matrix(self) -> Tensor:
        """The layer's own weight in float32 [out, in·kernel]."""
        return self.own().flatten(1)


def folded(core: Tensor, right: Tensor) -> Tensor:
    """A Tucker core [m, n, k…] with its right factor [n, in]: [m, in·k]."""
    return torch.einsum("mn...,ni->mi...", core.float(), right.flatten(1).float()).flatten(1)
