"""How a model's adapters are applied: the way, and the memory that composed weights are made in."""

import torch
from torch import Tensor

from catalog.computing import Way

__all__ = ["Way", "Workspace"]


class Workspace:
    """Shared by all layers of a model: `way` may change between forwards.

    Layers of one shape run one after the other, so one buffer serves them all; those whose weights are
    composed ahead, for a whole block, are kept apart by their `place` in it.
    """

    def __init__(self, way: Way = "auto") -> None:
        self.way: Way = way
        self._buffers: dict[tuple[object, ...], Tensor] = {}

    def like(self, weight: Tensor, dtype: torch.dtype | None = None, place: str = "") -> Tensor:
        """A buffer of the weight's shape and place, with whatever is in it."""
        dtype = dtype or weight.dtype
        key = (weight.shape, weight.device, dtype, place)
        if key not in self._buffers:
            with torch.inference_mode(False):  # it outlives the run that first needs it
                self._buffers[key] = torch.empty(weight.shape, dtype=dtype, device=weight.device)
        return self._buffers[key]

    def clear(self) -> None:
        """Give the memory back."""
        self._buffers.clear()
