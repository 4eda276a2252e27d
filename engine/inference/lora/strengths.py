"""How strongly every adapter plays on one expert: one float32 number per rank, all written in one operation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Slot:
    """A run of equal numbers: strength of `adapter` · scale, `count` times. Without an adapter they are 0."""

    adapter: str | None
    scale: float
    count: int = 1


class Strengths:
    """The numbers that the layers of one expert look at.

    Layers keep offsets into `values`, so a fader never touches a layer. `heard` are the adapters whose
    strength is not 0. `revision` grows with every change.
    """

    def __init__(self, device: torch.device) -> None:
        self.values = torch.zeros(0, device=device)
        self.heard: frozenset[str] = frozenset()
        self.revision = 0
        self._wanted: dict[str, float] = {}
        self._adapters: tuple[str, ...] = ()
        self._adapter_of = torch.zeros(0, dtype=torch.long, device=device)
        self._scales = torch.zeros(0, device=device)

    def lay_out(self, adapters: Iterable[str], slots: Iterable[Slot]) -> None:
        """Give the slots their places, in this order; strengths of adapters that stay are kept."""
        self._adapters = tuple(adapters)
        number = {None: 0} | {adapter: i for i, adapter in enumerate(self._adapters, start=1)}
        rows = [(number[slot.adapter], slot.scale, slot.count) for slot in slots]
        numbers, scales, counts = zip(*rows, strict=True) if rows else ((), (), ())
        device, repeats = self.values.device, torch.tensor(counts, dtype=torch.long)
        self._adapter_of = torch.tensor(numbers, dtype=torch.long).repeat_interleave(repeats).to(device)
        self._scales = torch.tensor(scales, dtype=torch.float32).repeat_interleave(repeats).to(device)
        self.values = torch.zeros_like(self._scales)
        self._hear({a: s for a, s in self._wanted.items() if a in number})

    def set(self, wanted: Mapping[str, float]) -> bool:
        """Every adapter's strength; those not named fall silent, unknown ones are passed over.

        True when others are heard than before.
        """
        before, now = self.heard, {a: s for a in self._adapters if (s := float(wanted.get(a, 0.0)))}
        if now != self._wanted:
            self._hear(now)
        return self.heard != before

    def forget(self, adapter: str) -> None:
        """Another of this name starts silent; takes effect with the next `lay_out`."""
        self._wanted.pop(adapter, None)

    def follow(self, device: torch.device) -> None:
        """Move to where the layers are now."""
        if self.values.device != device:
            self.values, self._scales = self.values.to(device), self._scales.to(device)
            self._adapter_of = self._adapter_of.to(device)

    def _hear(self, wanted: dict[str, float]) -> None:
        self._wanted, self.heard = wanted, frozenset(wanted)
        self.revision += 1
        numbers = [0.0, *(wanted.get(adapter, 0.0) for adapter in self._adapters)]
        strengths = torch.tensor(numbers, dtype=torch.float32, device=self.values.device)
        torch.index_select(strengths, 0, self._adapter_of, out=self.values).mul_(self._scales)

    def at(self, offset: int, count: int = 1) -> Tensor:
        """`count` numbers from a place on; a view."""
        return self.values[offset : offset + count]
