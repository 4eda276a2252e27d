"""The low-rank pairs of all adapters on one layer, side by side on the rank axis."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

import torch

from catalog.models import Expert
from engine.inference.lora.delta import Pair
from engine.inference.lora.strengths import Slot

Run = tuple[int, int]
"""Ranks [start, stop) of a bank."""


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """One adapter's pair in a bank, and the experts it plays on; `content` names the file's, whatever its name."""

    adapter: str
    experts: tuple[Expert, ...]
    pair: Pair
    content: str = ""

    @property
    def rank(self) -> int:
        """How many ranks of the bank it takes."""
        return self.pair.down.shape[0]


class Bank:
    """The pairs of one layer: down [R, in], up [out, R].

    Both experts' layers of the same name share one bank, so an adapter that plays on both is held once.
    Pairs of the high expert alone come first and those of the low one last: what each hears lies together.
    Then the files' contents decide, so that the order in which adapters came changes no bit of a sum.
    """

    def __init__(self) -> None:
        self.segments: tuple[Segment, ...] = ()
        self.down = self.up = torch.zeros(0, 0)

    def __bool__(self) -> bool:
        return bool(self.segments)

    def change(self, segments: Collection[Segment], device: torch.device, dtype: torch.dtype) -> None:
        """Hold these pairs from now on.

        The first one on a layer is used as the file's reader gave it, without a copy where its type fits.
        """
        is_first = len(segments) == 1 and not self.segments
        ordered = sorted(segments, key=lambda s: (_ORDER.get(s.experts, 1), s.content))
        if not ordered:
            self.segments, self.down, self.up = (), torch.zeros(0, 0), torch.zeros(0, 0)
            return
        downs = [s.pair.down.to(device, dtype) for s in ordered]
        ups = [s.pair.up.to(device, dtype) for s in ordered]
        self.down = downs[0].contiguous() if is_first else torch.cat(downs)
        self.up = ups[0].contiguous() if is_first else torch.cat(ups, dim=1)
        self.segments = tuple(self._views(ordered))

    def without(self, adapter: str) -> list[Segment]:
        """The segments of all other adapters."""
        return [segment for segment in self.segments if segment.adapter != adapter]

    def follow(self, device: torch.device) -> None:
        """Move to where the layer is now: experts may take turns on a device."""
        if self.down.device != device:
            self.change(self.segments, device, self.down.dtype)

    def slots(self, expert: Expert) -> Iterator[Slot]:
        """A slot per segment, silent where it does not play on this expert."""
        for s in self.segments:
            yield Slot(s.adapter if expert in s.experts else None, s.pair.scale, s.rank)

    def runs(self, expert: Expert, heard: Collection[str]) -> tuple[Run, ...]:
        """The ranks that are heard, neighbours joined."""
        runs: list[Run] = []
        start = 0
        for segment in self.segments:
            stop = start + segment.rank
            if segment.adapter in heard and expert in segment.experts:
                is_next = runs and runs[-1][1] == start
                runs.append((runs.pop()[0] if is_next else start, stop))
            start = stop
        return tuple(runs)

    def _views(self, ordered: list[Segment]) -> Iterator[Segment]:
        """The segments as parts of the joined factors, so that nothing is held twice."""
        start = 0
        for s in ordered:
            stop = start + s.rank
            yield replace(s, pair=Pair(self.down[start:stop], self.up[:, start:stop], s.pair.scale))
            start = stop


_ORDER: dict[tuple[Expert, ...], int] = {("high",): 0, ("low",): 2}
