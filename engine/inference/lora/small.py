"""Small parameters (biases, norms, modulation) with the adapters' differences in them."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.inference.lora import base
from engine.inference.lora.delta import SmallDelta
from engine.inference.lora.strengths import Slot, Strengths


@dataclass(slots=True, eq=False)
class _Placed:
    adapter: str
    delta: SmallDelta
    content: str
    offset: int = 0


class SmallParameters:
    """The differences on the parameters of one module, composed anew only after a strength changed."""

    def __init__(self, strengths: Strengths) -> None:
        self._strengths = strengths
        self._placed: list[_Placed] = []
        self._heard: list[_Placed] = []
        self._composed: dict[str, Tensor] = {}
        self._seen: tuple[object, ...] = ()

    def __bool__(self) -> bool:
        return bool(self._placed)

    def put(self, adapter: str, delta: SmallDelta, content: str = "") -> None:
        """Add an adapter's difference to one parameter, in the order of the files' contents."""
        added = [*self._placed, _Placed(adapter, delta, content)]
        self._placed = sorted(added, key=lambda placed: placed.content)
        self._seen = ()

    def take_off(self, adapter: str) -> None:
        """Remove an adapter's differences."""
        self._placed = [placed for placed in self._placed if placed.adapter != adapter]
        self._seen = ()

    def of(self, adapter: str) -> tuple[SmallDelta, ...]:
        """An adapter's differences."""
        return tuple(placed.delta for placed in self._placed if placed.adapter == adapter)

    def slots(self, offset: int) -> Iterator[Slot]:
        """The slots these parameters need; the first one will lie at `offset`."""
        for number, placed in enumerate(self._placed, start=offset):
            placed.offset = number
            yield Slot(placed.adapter, placed.delta.scale)

    def listen(self) -> None:
        """Note who is heard from now on."""
        self._heard = [placed for placed in self._placed if placed.adapter in self._strengths.heard]

    def composed(self, module: nn.Module) -> dict[str, Tensor]:
        """Parameter name → base + Σ strength · Δ; only those that are heard, computed in float32."""
        if not self._heard:
            return {}
        if torch.compiler.is_compiling():  # the revision would be compiled in
            return self._compose(module)
        some = base.parameter(module, self._heard[0].delta.parameter)
        seen = (self._strengths.revision, some.device, some.dtype)
        if seen != self._seen:
            with torch.inference_mode(False), torch.no_grad():  # as the model's own are, for compiled code
                self._seen, self._composed = seen, self._compose(module)
        return self._composed

    def _compose(self, module: nn.Module) -> dict[str, Tensor]:
        sums: dict[str, Tensor] = {}
        for placed in self._heard:
            name = placed.delta.parameter
            own = base.parameter(module, name)
            self._strengths.follow(own.device)
            value = placed.delta.value.to(own.device).view(own.shape)
            sums.setdefault(name, own.to(torch.float32, copy=True))
            sums[name].addcmul_(value, self._strengths.at(placed.offset))
        return {name: total.to(base.parameter(module, name).dtype) for name, total in sums.items()}
