"""Linear layers whose weights stay as small as the file has them, and are made whole for every use."""

import torch
from torch import Tensor, nn
from torch.nn import functional

EIGHT_BIT = (torch.float8_e4m3fn, torch.float8_e5m2)


class StoredLinear(nn.Linear):
    """A linear layer [out, in] whose `weight` is computed from what is stored; `bias` is as usual.

    `compute_dtype` is the type of `weight`. What is stored moves with the layer as a buffer, but is no
    parameter and no part of the state dict. A weight put among the parameters is used in its stead.
    """

    def __init__(self, like: nn.Linear, dtype: torch.dtype, **stored: Tensor) -> None:
        nn.Module.__init__(self)  # nn.Linear's own would make a whole weight
        self.in_features, self.out_features = like.in_features, like.out_features
        self.compute_dtype = dtype
        self._parameters["weight"] = None
        self.register_parameter("bias", like.bias)
        for name, tensor in stored.items():
            self.register_buffer(name, tensor, persistent=False)

    @property
    def weight(self) -> Tensor:  # type: ignore[override]
        """The weight [out, in] in `compute_dtype`, made anew at every call."""
        lent = self._parameters["weight"]
        return self.whole() if lent is None else lent

    def whole(self) -> Tensor:
        """What is stored, as a weight [out, in] in `compute_dtype`."""
        raise NotImplementedError

    def forward(self, input: Tensor) -> Tensor:
        """input [..., in] → [..., out], in the input's type."""
        return functional.linear(input, self.weight.to(input.dtype), self.bias)


class ScaledLinear(StoredLinear):
    """Weights in 8-bit floats, with the factor that they were divided by: one number, or one per row."""

    values: Tensor
    scale: Tensor

    def __init__(self, like: nn.Linear, dtype: torch.dtype, values: Tensor, scale: Tensor | None) -> None:
        factor = torch.ones(1, 1) if scale is None else scale.float().reshape(-1, 1)
        super().__init__(like, dtype, values=values, scale=factor)

    def whole(self) -> Tensor:
        """The weight [out, in]; the factor is applied before rounding to `compute_dtype`."""
        return self.values.float().mul_(self.scale).to(self.compute_dtype)


class CastLinear(StoredLinear):
    """Weights in another float type than the one they are computed in.

    A weight that stays in memory is put among the parameters (`stay`); until then it is cast at every use.
    """

    values: Tensor

    def __init__(self, like: nn.Linear, dtype: torch.dtype, values: Tensor) -> None:
        super().__init__(like, dtype, values=values)

    def whole(self) -> Tensor:
        """The weight [out, in] in `compute_dtype`."""
        return self.values.to(self.compute_dtype)

    def stay(self, device: torch.device) -> None:
        """Hold the whole weight on a device from now on."""
        with torch.inference_mode(False):
            weight = self.values.to(device, self.compute_dtype)
            self._parameters["weight"] = nn.Parameter(weight, requires_grad=False)

    def leave(self) -> None:
        """Hold it no longer."""
        self._parameters["weight"] = None


class StoredEmbedding(nn.Module):
    """A table [words, width] that stays in the file's type on the host: rows are cast when they are looked up."""

    def __init__(self, values: Tensor, dtype: torch.dtype) -> None:
        super().__init__()
        self.values, self.compute_dtype = values, dtype  # no buffer: the table never moves

    def forward(self, words: Tensor) -> Tensor:
        """words [...] → [..., width] on their device."""
        chosen = words.to(self.values.device)
        rows = self.values.view(torch.uint8)[chosen] if self.values.dtype in EIGHT_BIT else None
        found = self.values[chosen] if rows is None else rows.view(self.values.dtype)
        return found.to(words.device, self.compute_dtype)
