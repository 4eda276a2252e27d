"""How much each adapter adds while the model denoises, beside what the model's own weights answer."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from catalog.models import Expert
from engine.inference.lora import base, rows
from engine.inference.lora.beside import Beside
from engine.inference.lora.delta import Call
from engine.inference.lora.probe import Probe, norm, probe_for, resting, spread, spread_over


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """What is measured of one adapter on one expert: layers by name, or what it is without any tokens."""

    probes: Mapping[str, Probe]
    resting: float | None


@dataclass(slots=True, eq=False)
class _Found:
    """What was measured since the step began: for each name ‖ΔW x‖ and ‖W x‖, still on the device."""

    adapters: list[str] = field(default_factory=list)
    norms: list[Tensor] = field(default_factory=list)
    resting: dict[str, float] = field(default_factory=dict)


class Meter:
    """Measures ‖ΔW x‖ / ‖W x‖ of each adapter: on a layer over the sampled tokens, then the root mean square
    over the sampled layers. W x is what the layer's own weight answers to what really comes in.

    `begin` a step, let the model run, ask for `ratios`. Only the first pass of a step is listened to. No
    answer is touched, and the numbers leave the device once per step.
    """

    def __init__(self, beside: Mapping[Expert, Mapping[str, Beside]]) -> None:
        self._beside = beside
        self._samples: dict[tuple[Expert, str], _Sample] = {}
        self._hooks: dict[str, RemovableHandle] = {}
        self._found = _Found()

    def forget(self) -> None:
        """Other adapters are attached than before."""
        self.stop()
        self._samples.clear()

    def begin(self, expert: Expert, adapters: Collection[str]) -> None:
        """Listen to the next pass of one expert for these adapters."""
        self.stop()
        probes: dict[str, dict[str, Probe]] = defaultdict(dict)
        for adapter in adapters:
            sample = self._sample(expert, adapter)
            if sample.resting is not None:
                self._found.resting[adapter] = sample.resting
            for module, probe in sample.probes.items():
                probes[module][adapter] = probe
        for module, wanted in probes.items():
            layer = self._beside[expert][module].module
            hear = partial(self._hear, module, wanted)
            # before the adapters lend the layer another weight
            self._hooks[module] = layer.register_forward_pre_hook(hear, prepend=True)

    def ratios(self) -> dict[str, float]:
        """What was measured since `begin`, by adapter, at strength 1: what is heard is |strength| times that."""
        found = self._found
        self.stop()
        squares: dict[str, list[float]] = defaultdict(list)
        values = torch.stack(found.norms).tolist() if found.norms else []
        for adapter, added, own in zip(found.adapters, values[::2], values[1::2], strict=True):
            squares[adapter].append((added / own) ** 2 if own else 0.0)
        return found.resting | {adapter: (sum(s) / len(s)) ** 0.5 for adapter, s in squares.items()}

    def stop(self) -> None:
        """Listen no longer; nothing is left at the layers."""
        while self._hooks:
            self._hooks.popitem()[1].remove()
        self._found = _Found()

    def _hear(
        self, module: str, probes: Mapping[str, Probe], layer: nn.Module, args: tuple[Any, ...]
    ) -> None:
        self._hooks.pop(module).remove()
        x = spread_over(rows.inputs(layer, args[0]))
        weight = base.matrix(layer).to(x)
        y = x @ weight.T
        call, own = Call(x, y, None, lambda: weight), norm(y)
        for adapter, probe in probes.items():
            self._found.adapters.append(adapter)
            self._found.norms += (probe.added(call), own)

    def _sample(self, expert: Expert, adapter: str) -> _Sample:
        key = (expert, adapter)
        if key not in self._samples:
            places = {name: (b, b.of(adapter)) for name, b in self._beside[expert].items()}
            on_matrices = [name for name, (_, effect) in places.items() if effect.pairs or effect.deltas]
            probes = {name: probe_for(places[name][1]) for name in spread(on_matrices)}
            still = None if probes else resting(places.values())
            self._samples[key] = _Sample(probes, still)
        return self._samples[key]
