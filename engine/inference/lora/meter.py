"""How much each adapter adds while the model denoises, beside what the model's own weights answer."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from catalog.models import Expert
from engine.inference.lora import rows
from engine.inference.lora.beside import Beside
from engine.inference.lora.ear import Ear, ear_for
from engine.inference.lora.probe import TURNS, Probe, probe_for, resting, spread, spread_over


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """What is measured of one adapter on one expert: layers by name, or what it is without any tokens."""

    probes: Mapping[str, Probe]
    resting: float | None


@dataclass(slots=True, eq=False)
class _Found:
    """What was measured since the step began: for each layer its adapters, how its numbers are shared out
    among the own weight and them, and the numbers, still on the device.
    """

    layers: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    norms: list[Tensor] = field(default_factory=list)

    def ratios(self) -> Iterator[tuple[str, str, float]]:
        """Layer, adapter and (‖ΔW x‖ / ‖W x‖)²; this waits for the device."""
        if not self.norms:
            return
        squares = np.square(torch.cat(self.norms).cpu().numpy().astype(np.float64))
        sums = iter(np.add.reduceat(squares, np.cumsum([0, *self.counts[:-1]])).tolist())
        for module, adapters in self.layers:
            own = next(sums)
            yield from ((module, adapter, next(sums) / own if own else 0.0) for adapter in adapters)


class Meter:
    """Measures ‖ΔW x‖ / ‖W x‖ of each adapter: on a layer over the sampled tokens, then the root mean square
    over the sampled layers. W x is what the layer's own weight answers to what really comes in.

    `begin` a step, let the model run, ask for `ratios`; `stop` after the last. Only the first pass of a step
    is listened to. A run's first step on an expert listens to all of the sample, those after it to a third of
    its layers in turn; the others count with what they had when it was theirs. No answer is touched, and the
    numbers leave the device once per step.
    """

    def __init__(self, beside: Mapping[Expert, Mapping[str, Beside]]) -> None:
        self._beside = beside
        self._samples: dict[tuple[Expert, str], _Sample] = {}
        self._ears: dict[tuple[Expert, str], tuple[tuple[str, ...], Ear]] = {}
        self._hooks: dict[str, RemovableHandle] = {}
        self._expert: Expert = "high"
        self._asked: dict[str, _Sample] = {}
        self._known: dict[tuple[str, str], float] = {}
        self._turn = 0
        self._found = _Found()

    def forget(self) -> None:
        """Other adapters are attached than before."""
        self.stop()
        self._samples.clear()
        self._ears.clear()

    def begin(self, expert: Expert, adapters: Collection[str]) -> None:
        """Listen to the next pass of one expert for these adapters."""
        self._unhook()
        if expert != self._expert:
            self._expert = expert
            self._known.clear()
        self._turn += 1
        self._asked = {adapter: self._sample(expert, adapter) for adapter in adapters}
        probes: dict[str, dict[str, Probe]] = defaultdict(dict)
        for adapter, sample in self._asked.items():
            for module, probe in sample.probes.items():
                probes[module][adapter] = probe
        for number, (module, wanted) in enumerate(probes.items(), start=self._turn):
            if number % TURNS and all((module, adapter) in self._known for adapter in wanted):
                continue
            layer = self._beside[expert][module].module
            hear = partial(self._hear, module, wanted)
            # before the adapters lend the layer another weight
            self._hooks[module] = layer.register_forward_pre_hook(hear, prepend=True)

    def ratios(self) -> dict[str, float]:
        """What was measured since `begin`, by adapter, at strength 1: what is heard is |strength| times that."""
        found, asked = self._found, self._asked
        self._unhook()
        self._known |= {(module, adapter): square for module, adapter, square in found.ratios()}
        ratios = {adapter: s.resting for adapter, s in asked.items() if s.resting is not None}
        for adapter, sample in asked.items():
            squares = [self._known[m, adapter] for m in sample.probes if (m, adapter) in self._known]
            if squares:
                ratios[adapter] = (sum(squares) / len(squares)) ** 0.5
        return ratios

    def stop(self) -> None:
        """Listen no longer, to a run that is over; nothing is left at the layers."""
        self._unhook()
        self._known.clear()

    def _unhook(self) -> None:
        while self._hooks:
            self._hooks.popitem()[1].remove()
        self._found, self._asked = _Found(), {}

    def _hear(
        self, module: str, probes: Mapping[str, Probe], layer: nn.Module, args: tuple[Any, ...]
    ) -> None:
        self._hooks.pop(module).remove()
        x, ear = spread_over(rows.inputs(layer, args[0])), self._ear(module, probes, layer)
        self._found.layers.append((module, tuple(probes)))
        self._found.counts += ear.counts
        self._found.norms.append(ear.norms(layer, x))

    def _ear(self, module: str, probes: Mapping[str, Probe], layer: nn.Module) -> Ear:
        """For these adapters; kept until others are heard."""
        kept = self._ears.get((self._expert, module))
        if kept is None or kept[0] != tuple(probes):
            kept = self._ears[self._expert, module] = tuple(probes), ear_for(layer, probes.values())
        return kept[1]

    def _sample(self, expert: Expert, adapter: str) -> _Sample:
        key = (expert, adapter)
        if key not in self._samples:
            places = {name: (b, b.of(adapter)) for name, b in self._beside[expert].items()}
            on_matrices = [name for name, (_, effect) in places.items() if effect.pairs or effect.deltas]
            probes = {n: probe_for(places[n][1], places[n][0].module) for n in spread(on_matrices)}
            still = None if probes else resting(places.values())
            self._samples[key] = _Sample(probes, still)
        return self._samples[key]
