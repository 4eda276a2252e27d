"""What the adapters on one layer add to its matrix: to its output (exact) or to its weight (fast)."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn

from catalog.models import Expert
from engine.inference.lora import base, rows
from engine.inference.lora.bank import Bank, Run
from engine.inference.lora.delta import Call, Delta, Effect, add_product, scaled
from engine.inference.lora.strengths import Slot, Strengths
from engine.inference.lora.workspace import Workspace

_PAYS_FROM_RANK = 32


@dataclass(slots=True, eq=False)
class Placed:
    """One delta of one adapter on this layer."""

    adapter: str
    delta: Delta
    content: str = ""
    offset: int = 0


class Matrices:
    """The bank and the other deltas of one layer of one expert."""

    def __init__(self, expert: Expert, strengths: Strengths, workspace: Workspace) -> None:
        self.bank = Bank()
        self.placed: list[Placed] = []
        self.place = ""
        """Where in its block, when weights of a whole block are composed ahead."""
        self._expert, self._strengths, self._workspace = expert, strengths, workspace
        self._device = strengths.values.device
        self._resting: tuple[Delta, ...] | None = None
        self._offset = 0
        self._runs: tuple[Run, ...] = ()
        self._heard: tuple[Placed, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.placed) or any(self._expert in segment.experts for segment in self.bank.segments)

    def put(self, placed: Placed, device: torch.device) -> None:
        """Add a delta that is on `device`, in the order of the files' contents: sums do not depend on who came
        first.
        """
        self._device = device
        self.placed = sorted([*self.placed, placed], key=lambda each: each.content)

    def take_off(self, adapter: str) -> None:
        """Remove an adapter's deltas; its pairs leave with the bank."""
        self.placed = [placed for placed in self.placed if placed.adapter != adapter]

    def of(self, adapter: str) -> Effect:
        """What one adapter adds to the matrix on this expert."""
        own = (s for s in self.bank.segments if s.adapter == adapter and self._expert in s.experts)
        deltas = tuple(placed.delta for placed in self.placed if placed.adapter == adapter)
        return Effect(tuple(segment.pair for segment in own), deltas)

    def slots(self, offset: int) -> Iterator[Slot]:
        """The slots this layer needs; its first one will lie at `offset`."""
        self._offset = offset
        for slot in self.bank.slots(self._expert):
            offset += slot.count
            yield slot
        for placed in self.placed:
            placed.offset = offset
            offset += 1
            yield Slot(placed.adapter, placed.delta.scale)

    def listen(self) -> bool:
        """Note who is heard from now on; whether anyone is."""
        heard = self._strengths.heard
        self._runs = self.bank.runs(self._expert, heard)
        self._heard = tuple(p for p in self.placed if p.adapter in heard)
        return bool(self._runs or self._heard)

    def is_fast(self, layer: nn.Module, x: Tensor) -> bool:
        """Whether to compose the weight for this forward.

        By cost: a pair of rank R costs R·(in + out) per token on the output and R·in·out once on the
        weight, so the weight wins from in·out / (in + out) tokens on, whatever R is; making the copy costs
        in·out more, reading and writing the output out more per token. In half precision small changes
        vanish in the weight's rounding, so little work is done exactly there.
        """
        if self._workspace.way != "auto":
            return self._workspace.way == "fast"
        out, *sides = base.weight_shape(layer)
        into = prod(sides)
        rank = sum(stop - start for start, stop in self._runs)
        if base.compute_dtype(layer).itemsize < 4 and not self._heard and rank < _PAYS_FROM_RANK:
            return False
        per_token = rank * (out + into) + out + sum(p.delta.per_token for p in self._heard)
        once = (rank + 1) * out * into + sum(p.delta.once for p in self._heard)
        return rows.tokens(layer, x) * per_token > once

    def composed(self, layer: nn.Module) -> Tensor:
        """W + Σ strength · ΔW in the shape of the weight; valid until the next layer of that shape and place
        asks for its own.
        """
        own = base.matrix(layer)
        self._follow(own.device, own.dtype)
        if not self._heard or own.dtype.itemsize >= 4:
            weight = self._workspace.like(own, place=self.place)
            self._add_to_weight(weight, own)
        else:  # round once, not once for each addition
            wide = self._workspace.like(own, torch.float32)
            self._add_to_weight(wide, own.float())
            weight = self._workspace.like(own, place=self.place).copy_(wide)
        return weight.view(base.weight_shape(layer))

    def _add_to_weight(self, weight: Tensor, own: Tensor) -> None:
        if self._runs:
            down, up, strength = self._pair()
            torch.addmm(own, scaled(up, strength).to(own), down.to(own), out=weight)
        else:
            weight.copy_(own)
        for placed in self._heard:
            delta = placed.delta.to(own.device, own.dtype)
            delta.add_to_weight(weight, self._strengths.at(placed.offset), own)

    def added(self, layer: nn.Module, x: Tensor, output: Tensor) -> Tensor:
        """The output with everything that is heard added to it, in place where that is possible."""
        self._follow(x.device, x.dtype)
        y, x = rows.outputs(layer, output), rows.inputs(layer, x)
        call = Call(x, y, layer._parameters.get("bias"), lambda: base.matrix(layer))
        if any(p.delta.reads_output for p in self._heard):
            _ = call.own
        if self._runs:
            down, up, strength = self._pair()
            add_product(y, x @ down.T, up.T, strength)
        for placed in self._heard:
            placed.delta.add_to(y, self._strengths.at(placed.offset), call)
        return rows.shaped(layer, y, output)

    def _pair(self) -> tuple[Tensor, Tensor, Tensor]:
        """down [r, in], up [out, r] and strengths [r] of all that is heard, without gaps.

        Gaps are closed by a copy, small beside the product: the silent ones are as if they were not there,
        bit for bit.
        """
        runs = self._runs
        downs = [self.bank.down[start:stop] for start, stop in runs]
        ups = [self.bank.up[:, start:stop] for start, stop in runs]
        strengths = [self._strengths.at(self._offset + start, stop - start) for start, stop in runs]
        if len(runs) == 1:
            return downs[0], ups[0].contiguous(), strengths[0]
        return torch.cat(downs), torch.cat(ups, dim=1), torch.cat(strengths)

    def lend(self, device: torch.device, dtype: torch.dtype) -> None:
        """Have copies of the deltas on a device until `take_back`; whoever lends the layer lends the bank."""
        self.take_back()
        self._resting, self._device = tuple(placed.delta for placed in self.placed), device
        for placed in self.placed:
            placed.delta = placed.delta.to(device, dtype)

    def take_back(self) -> None:
        """Have the deltas again that rest on the host."""
        for placed, delta in zip(self.placed, self._resting or (), strict=False):
            placed.delta = delta
        if self._resting is not None:
            self._resting, self._device = None, torch.device("cpu")

    def move(self, device: torch.device, dtype: torch.dtype) -> None:
        """Be on a device, with all pairs and deltas."""
        self.bank.follow(device)
        if device != self._device:
            for placed in self.placed:
                placed.delta = placed.delta.to(device, dtype)
            self._device = device

    def _follow(self, device: torch.device, dtype: torch.dtype) -> None:
        """Be where the layer is now."""
        self._strengths.follow(device)
        self.move(device, dtype)
