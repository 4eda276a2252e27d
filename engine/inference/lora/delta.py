"""What an adapter adds to one layer at strength 1: low-rank pairs, other matrices, and small parameters."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, ClassVar, Self, cast

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """ΔW = scale · up @ down; down [r, in], up [out, r], in whatever type the file has."""

    down: Tensor
    up: Tensor
    scale: float = 1.0


class Call:
    """One forward of one layer as matrices: x [tokens, in] went in, y [tokens, out] came out."""

    def __init__(self, x: Tensor, y: Tensor, bias: Tensor | None, weight: Callable[[], Tensor]) -> None:
        self.x = x
        self.weight = weight
        self._y, self._bias = y, bias

    @cached_property
    def own(self) -> Tensor:
        """W x, without bias and adapters [tokens, out]; to be asked for before anything is added to y."""
        return self._y.clone() if self._bias is None else self._y - self._bias

    def on(self, x: Tensor) -> "Call":
        """The same layer on another input."""
        return Call(x, self._y, self._bias, self.weight)


class Delta(ABC):
    """ΔW of one layer [out, in], independent of the user's strength. Subclasses are dataclasses of tensors.

    A strength arrives as a float32 tensor of one number with the scale already in it: no rounding to
    half precision, and nothing for a compiled model to be compiled again for.
    """

    reads_output: ClassVar[bool] = False
    """Whether add_to needs Call.own."""

    scale: float

    @property
    @abstractmethod
    def per_token(self) -> int:
        """Multiplications of add_to, for each token."""

    @property
    @abstractmethod
    def once(self) -> int:
        """Multiplications of add_to_weight."""

    @abstractmethod
    def add_to(self, y: Tensor, strength: Tensor, call: Call) -> None:
        """y += strength · ΔW x, in place; y [tokens, out]."""

    @abstractmethod
    def add_to_weight(self, weight: Tensor, strength: Tensor, own: Tensor) -> None:
        """weight += strength · ΔW, in place; `own` is the layer's pristine weight, of the same type."""

    def to(self, device: torch.device, dtype: torch.dtype) -> Self:
        """The same with its tensors elsewhere."""
        data = cast(Any, self)
        moved = {f.name: _moved(getattr(self, f.name), device, dtype) for f in fields(data)}
        return cast(Self, replace(data, **moved))


def _moved(value: Any, device: torch.device, dtype: torch.dtype) -> Any:
    if isinstance(value, tuple):
        return tuple(_moved(item, device, dtype) for item in value)
    if isinstance(value, Delta | Tensor):
        return value.to(device, dtype)
    return value


@dataclass(frozen=True, slots=True, eq=False)
class SmallDelta:
    """Δ of a parameter that is no matrix (bias, norm, modulation), in its shape and in float32."""

    parameter: str
    value: Tensor
    scale: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """All that one adapter adds to one module."""

    pairs: tuple[Pair, ...] = ()
    deltas: tuple[Delta, ...] = ()
    small: tuple[SmallDelta, ...] = ()

    def __add__(self, other: "Effect") -> "Effect":
        return Effect(self.pairs + other.pairs, self.deltas + other.deltas, self.small + other.small)


def scaled(tensor: Tensor, by: Tensor) -> Tensor:
    """tensor · by, computed in the wider type of both and rounded once to the tensor's."""
    return (tensor * by).to(tensor.dtype)


def add_product(target: Tensor, left: Tensor, right: Tensor, scale: Tensor) -> None:
    """target += left · diag(scale) · right, in place; the scale (as long as the inner side, or one number)
    goes into the smaller factor."""
    if left.shape[0] <= right.shape[1]:
        target.addmm_(scaled(left, scale), right)
    else:
        target.addmm_(left, scaled(right, scale[:, None]))
