"""Sizes of low-rank products from their r × r Gram matrices, without forming them; of others, by forming them."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from engine.inference.lora import base
from engine.inference.lora.delta import Effect, Pair, add_product


def joined(pairs: Sequence[Pair]) -> tuple[Tensor, Tensor]:
    """Several pairs of one layer as one in float32: down [r, in] with the scales in it, up [out, r]."""
    down = torch.cat([pair.down.float() * pair.scale for pair in pairs])
    return down, torch.cat([pair.up.float() for pair in pairs], dim=1)


def dense(effect: Effect, layer: nn.Module) -> Tensor:
    """ΔW of one layer made whole [out, in·kernel], in the type that the layer computes in."""
    own = base.matrix(layer)
    total = torch.zeros_like(own)
    for pair in effect.pairs:
        scale = torch.full((pair.down.shape[0],), pair.scale, device=own.device)
        add_product(total, pair.up.to(own), pair.down.to(own), scale)
    for delta in effect.deltas:
        scale = torch.tensor([delta.scale], device=own.device)
        delta.to(own.device, own.dtype).add_to_weight(total, scale, own)
    return total


def grams(pairs: Sequence[Pair]) -> tuple[Tensor, Tensor]:
    """downᵀ's and up's inner products, both [r, r], in float64 on the CPU."""
    down, up = joined(pairs)
    return (down @ down.T).double().cpu(), (up.T @ up).double().cpu()


def squared_norm(down: Tensor, up: Tensor) -> float:
    """‖ΔW‖² (Frobenius) from the Gram matrices."""
    return max(0.0, float((down * up).sum()))


def singular_values(down: Tensor, up: Tensor) -> Tensor:
    """Those of ΔW [r], largest last, from the core Lᵀ D L, where up's Gram matrix is L Lᵀ.

    L comes from eigenvalues, since a Gram matrix of dependent columns is not quite positive. All 0 where
    the numbers are too large to be multiplied.
    """
    if not (down.isfinite().all() and up.isfinite().all()):
        return torch.zeros(len(up), dtype=up.dtype)
    values, vectors = torch.linalg.eigh(up)
    half = vectors * values.clamp_min(0).sqrt()
    squares: Tensor = torch.linalg.eigvalsh(half.T @ down @ half)
    return squares.clamp_min(0).sqrt()


def effective_rank(values: Tensor) -> float:
    """exp of the entropy of the singular values' shares (Roy and Vetterli, 2007); 0 where all are 0."""
    total = values.sum()
    if not total > 0:
        return 0.0
    shares = values / total
    return float(torch.special.entr(shares).sum().exp())
