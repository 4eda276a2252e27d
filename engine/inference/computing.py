"""How the loaded model computes: what was asked for, as far as this machine can, for the length of a run."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import get_args

import torch
from diffusers import WanTransformer3DModel

from catalog.computing import Attention, Computing
from catalog.models import Expert
from engine.inference import computing_attention, computing_cache, computing_compile
from engine.inference.computing_cache import StepCache
from engine.inference.computing_compile import Backend, CompiledBlocks
from engine.inference.device import compute_dtype
from engine.inference.lora.rack import Rack
from engine.inference.trajectory import Tones


@dataclass(frozen=True, slots=True)
class Settled:
    """What will be computed with, nothing left to choose, and a sentence for all that is not as asked."""

    computing: Computing
    notices: tuple[str, ...]


class Computation:
    """The experts of a model and the adapters beside them, set to compute in one way or another."""

    def __init__(
        self,
        experts: Mapping[Expert, WanTransformer3DModel],
        rack: Rack,
        device: torch.device,
        backend: Backend = "inductor",
    ) -> None:
        self._experts, self._rack, self._device = experts, rack, device
        self._blocks = CompiledBlocks(experts, rack.beside, backend)
        self._caches: dict[Expert, StepCache] = {}
        self._before: object = None
        self.is_whole: Callable[[], bool] = lambda: True
        """Whether all of the model stays in memory."""

    @property
    def has_skipped(self) -> bool:
        """Whether the first pass of the present step was not computed in full, so that meters heard nothing."""
        return any(cache.has_skipped for cache in self._caches.values())

    def settle(self, wanted: Computing | None) -> Settled:
        """What is asked for as it can be had here; None asks for nothing in particular."""
        computing = (wanted or Computing()).named
        notices = []
        if reason := computing_attention.hindrance(
            computing.attention, self._device, compute_dtype(self._device)
        ):
            notices.append(
                f"Attention cannot be computed by “{computing.attention}”. {reason} PyTorch's own is used instead."
            )
            computing = replace(computing, attention="sdpa")
        if computing.compile and (reason := self._not_compiled(computing)):
            notices.append(f"The blocks are not compiled. {reason}")
            computing = replace(computing, compile=False)
        if computing.cache and (reason := self._not_cached()):
            notices.append(f"No step is skipped. {reason}")
            computing = replace(computing, cache=None)
        return Settled(computing, tuple(notices))

    @contextmanager
    def using(self, computing: Computing) -> Iterator[None]:
        """Compute so for the length of a `with`; it must be settled. Everything is put back afterwards."""
        way, self._rack.way = self._rack.way, computing.way
        with ExitStack() as stack:
            stack.enter_context(computing_attention.using(computing.attention))
            if computing.compile:
                stack.enter_context(self._blocks.working())
            if computing.cache:  # around what is compiled
                for expert, model in self._experts.items():
                    self._caches[expert] = StepCache(model.blocks, computing.cache.threshold)
                    stack.enter_context(self._caches[expert].working())
            try:
                yield
            finally:
                self._rack.way, self._before = way, None
                self._caches.clear()

    def begin_step(self, expert: Expert, tones: Tones) -> None:
        """A step of these tones begins; it is computed in full where they are not those of the one before."""
        playing = (expert, tones)
        for cache in self._caches.values():
            if playing != self._before:
                cache.empty()
            cache.begin_step()
        self._before = playing

    def _not_compiled(self, computing: Computing) -> str:
        if computing.way == "exact":
            return "“exact” adds to the layers' outputs, which compiled blocks do not allow."
        if not self.is_whole():
            return "That asks for all of the model in memory, and it does not fit."
        return computing_compile.hindrance(self._device)

    def _not_cached(self) -> str:
        reasons = map(computing_cache.hindrance, self._experts.values())
        return next(filter(None, reasons), "")


def hindrances(device: torch.device) -> tuple[tuple[str, str], ...]:
    """What cannot be had on a device, with the reason: kinds of attention by name, and “compile”."""
    dtype = compute_dtype(device)
    reasons: list[tuple[str, str]] = [
        (name, computing_attention.hindrance(name, device, dtype)) for name in _named_attention()
    ]
    reasons += [("compile", computing_compile.hindrance(device))]
    return tuple((name, reason) for name, reason in reasons if reason)


def _named_attention() -> tuple[Attention, ...]:
    return tuple(name for name in get_args(Attention) if name != "auto")
