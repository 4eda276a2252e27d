"""Streaming to a device: the next block is copied while one computes, with the adapters beside its layers."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor, nn

from engine.inference.checkpoints.mapped import forget
from engine.inference.checkpoints.stored import CastLinear, StoredLinear
from engine.inference.lora.beside import Beside
from engine.inference.streaming.copying import Copying
from engine.inference.streaming.units import Unit, stored

BesideOf = Callable[[Unit], Sequence[Beside]]
"""The adapters beside the layers of a block, as they are attached now."""


@dataclass(frozen=True, slots=True, eq=False)
class Loan:
    """One tensor on the host, the type it is wanted in, and where its copy is put for a forward."""

    source: Tensor
    dtype: torch.dtype
    put: Callable[[Tensor], None]
    give_back: Callable[[], None]


@dataclass(slots=True, eq=False)
class _Brought:
    """Copies under way, and what they are copies of."""

    loans: Sequence[Loan]
    copies: "Future[list[Tensor]]"
    beside: Sequence[Beside] = field(default_factory=tuple)


class Carried:
    """Blocks on a device whose weights rest on the host, at most two of them there at a time."""

    def __init__(self, units: Sequence[Unit], device: torch.device, beside: BesideOf) -> None:
        self._device, self._beside = device, beside
        self._order = {id(unit): index for index, unit in enumerate(units)}
        self._units = units
        self._copying = Copying(device)
        self._pool = ThreadPoolExecutor(1, "streaming")
        self._staying: dict[int, Sequence[Loan]] = {}
        self._coming: dict[int, _Brought] = {}
        self._here: dict[int, _Brought] = {}

    def stay(self, unit: Unit) -> None:
        """Copy a block to the device for good; adapters follow their layers by themselves."""
        loans = list(_of_layers(unit))
        with torch.inference_mode(False):
            copies = [loan.source.to(self._device, loan.dtype) for loan in loans]
        for loan, copy in zip(loans, copies, strict=True):
            loan.put(copy)
        self._staying[id(unit)] = loans
        forget(loan.source for loan in loans)

    def leave(self, unit: Unit) -> None:
        """Leave the device."""
        for loan in self._staying.pop(id(unit), ()):
            loan.give_back()
        for beside in self._beside(unit):
            beside.move(torch.device("cpu"))

    def bring(self, unit: Unit) -> None:
        """A block that does not stay is about to run: let it wait for its copies, and begin with the next."""
        self.take_back(unit)  # a forward that Ctrl+C ended gave nothing back
        brought = self._coming.pop(id(unit), None) or self._begin(unit)
        copies = self._copying.arrived(brought.copies.result())
        for loan, copy in zip(brought.loans, copies, strict=True):
            loan.put(copy)
        for beside in brought.beside:
            beside.lend_deltas(self._device)
        self._here[id(unit)] = brought
        after = self._after(unit)
        if after is not None and id(after) not in self._coming:
            self._coming[id(after)] = self._begin(after)

    def take_back(self, unit: Unit) -> None:
        """It has run: the host's tensors are in place again."""
        brought = self._here.pop(id(unit), None)
        if brought is None:
            return
        for loan in brought.loans:
            loan.give_back()
        for beside in brought.beside:
            beside.take_back_deltas()
        forget(loan.source for loan in brought.loans)

    def rest(self) -> None:
        """Nothing is under way, and nothing that streams is on the device."""
        for brought in self._coming.values():
            brought.copies.exception()  # wait; a failure matters to nobody any more
        self._coming.clear()
        for unit in self._units:
            self.take_back(unit)

    def _begin(self, unit: Unit) -> _Brought:
        beside = self._beside(unit)
        loans = [*_of_layers(unit), *(loan for b in beside for loan in _of_bank(b))]
        wanted = [(loan.source, loan.dtype) for loan in loans]
        return _Brought(loans, self._pool.submit(self._copying.copies, wanted), beside)

    def _after(self, unit: Unit) -> Unit | None:
        """The next block that streams, the first one after the last: there is another pass most often."""
        count, place = len(self._units), self._order[id(unit)]
        following = (self._units[(place + step) % count] for step in range(1, count))
        return next((u for u in following if id(u) not in self._staying), None)


def _of_layers(unit: Unit) -> Iterator[Loan]:
    for layer in unit.layers:
        for name, tensor in stored(layer).items():
            if isinstance(layer, CastLinear):
                yield Loan(tensor, layer.compute_dtype, partial(_put_weight, layer), layer.leave)
            elif isinstance(layer, StoredLinear):
                put = partial(layer._buffers.__setitem__, name)
                yield Loan(tensor, tensor.dtype, put, partial(put, tensor))
            else:
                own = layer._parameters["weight"]
                give_back = partial(layer._parameters.__setitem__, "weight", own)
                yield Loan(tensor, tensor.dtype, partial(_put_weight, layer), give_back)


def _put_weight(layer: nn.Linear, weight: Tensor) -> None:
    layer._parameters["weight"] = nn.Parameter(weight, requires_grad=False)


def _of_bank(beside: Beside) -> Iterator[Loan]:
    bank = beside.matrices.bank
    for name in ("down", "up"):
        tensor = getattr(bank, name)
        if tensor.numel():
            put = partial(setattr, bank, name)
            yield Loan(tensor, tensor.dtype, put, partial(put, tensor))
