"""How a model's adapters are applied: the way, and the memory that composed weights are made in."""

from typing import Literal

import torch
from torch import Tensor

Way = Literal["auto", "exact", "fast"]
"""exact: added to the layers' outputs. fast: added to a copy of the weight, for one forward. auto: by cost."""


class Workspace:
    """Shared by all layers of a model: `way` may change between forwards.

    Layers of one shape run one after the other, so one buffer serves them all.
    """

    def __init__(self, way: Way = "auto") -> None:
        self.way: Way = way
        self._buffers: dict[tuple[object, ...], Tensor] = {}

    def like(self, weight: Tensor, dtype: torch.dtype | None = None) -> Tensor:
        """A buffer of the weight's shape and place, with whatever is in it."""
        dtype = dtype or weight.dtype
        key = (weight.shape, weight.device, dtype)
        if key not in self._buffers:
            with torch.inference_mode(False):  # it outlives the run that first needs it
                self._buffers[key] = torch.empty(weight.shape, dtype=dtype, device=weight.device)
        return self._buffers[key]

    def clear(self) -> None:
        """Give the memory back."""
        self._buffers.clear()
