"""A step cache: where the first block answers nearly as before, the others' last answer is used again."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from diffusers import WanTransformer3DModel
from torch import Tensor, nn

_Forward = Callable[..., Tensor]


@dataclass(slots=True, eq=False)
class _Kept:
    """Of one pass that was computed in full: what the first block added, and all the others together."""

    first: Tensor
    others: Tensor


class StepCache:
    """First-block caching, as diffusers' FirstBlockCache computes it, for the blocks of one model.

    Tell it of every step by `begin_step`: passes are told apart by their order in the step, which is
    the same in every step. What it keeps takes two tensors as large as a block's answer for each pass.
    """

    def __init__(self, blocks: Sequence[nn.Module], threshold: float) -> None:
        self._blocks, self._threshold = blocks, threshold
        self._kept: dict[int, _Kept] = {}
        self._pass = -1
        self._is_skipping = False
        self._entered: Tensor | None = None
        self.has_skipped = False
        """Whether the first pass of the present step was not computed in full."""

    @contextmanager
    def working(self) -> Iterator[None]:
        """Begin empty; the blocks skip what they can for the length of a `with`."""
        before = [block.__dict__.get("forward") for block in self._blocks]
        self.empty()
        for index, block in enumerate(self._blocks):
            place = self._first if index == 0 else self._last if block is self._blocks[-1] else self._middle
            block.forward = partial(place, block.forward)
        try:
            yield
        finally:
            self.empty()
            for block, forward in zip(self._blocks, before, strict=True):
                del block.forward
                if forward is not None:
                    block.forward = forward

    def begin_step(self) -> None:
        """Another step begins, with its first pass."""
        self._pass, self.has_skipped = -1, False

    def empty(self) -> None:
        """Forget everything: the next step is computed in full."""
        self._kept.clear()
        self._entered = None
        self._is_skipping = False

    def _first(self, forward: _Forward, hidden: Tensor, *args: Any, **named: Any) -> Tensor:
        output = forward(hidden, *args, **named)
        self._pass += 1
        added, kept = output - hidden, self._kept.get(self._pass)
        self._is_skipping = kept is not None and _change(added, kept.first) <= self._threshold
        if kept is not None and self._is_skipping:
            self.has_skipped |= self._pass == 0
            return kept.others + output
        self._kept[self._pass] = _Kept(added, added)
        self._entered = output
        return output

    def _middle(self, forward: _Forward, hidden: Tensor, *args: Any, **named: Any) -> Tensor:
        return hidden if self._is_skipping else forward(hidden, *args, **named)

    def _last(self, forward: _Forward, hidden: Tensor, *args: Any, **named: Any) -> Tensor:
        if self._is_skipping:
            return hidden
        output = forward(hidden, *args, **named)
        assert self._entered is not None
        self._kept[self._pass].others = output - self._entered
        self._entered = None
        return output


def hindrance(model: nn.Module) -> str:
    """Why steps of this model cannot be skipped, or ""."""
    if type(model) is not WanTransformer3DModel:
        return "This model adds to its picture between the blocks."
    blocks = cast(Sequence[nn.Module], model.blocks)
    return "" if len(blocks) > 1 else "This model has a single block."


def _change(now: Tensor, before: Tensor) -> float:
    """Mean of the change, relative to that of what it was before; NaN compares as no small change."""
    return float(((now - before).abs().mean() / before.abs().mean()).item())
