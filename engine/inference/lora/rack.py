"""All adapters beside the layers of a model's experts: attached unmerged, set between forwards."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import nn

from catalog.contents import DOES_NOTHING
from catalog.coverage import Cover, Coverage, cover
from catalog.models import Expert
from catalog.peft_alpha import alpha_rules
from catalog.silence import is_silent
from engine.errors import AdapterRefused
from engine.inference.lora import base
from engine.inference.lora.bank import Bank, Segment
from engine.inference.lora.beside import Beside
from engine.inference.lora.build import build, reads_model
from engine.inference.lora.delta import Effect
from engine.inference.lora.kinds.parts import Parts
from engine.inference.lora.matrices import Placed
from engine.inference.lora.read import Adapter
from engine.inference.lora.strengths import Slot, Strengths
from engine.inference.lora.workspace import Way, Workspace


@dataclass(frozen=True, slots=True, eq=False)
class _Planned:
    """What an adapter will add to one module, on the experts that hear it."""

    module: str
    experts: tuple[Expert, ...]
    effect: Effect


class Rack:
    """The adapters of a model. W and the state dict are never changed; every change is lent for a forward.

    Used by one thread. Layers that no adapter is on are not touched at all.
    """

    def __init__(self, experts: Mapping[Expert, nn.Module], way: Way = "auto") -> None:
        self._modules = {expert: dict(model.named_modules()) for expert, model in experts.items()}
        self._shapes = {expert: base.shapes(model) for expert, model in experts.items()}
        self._work = Workspace(way)
        self._strengths = {e: Strengths(_device(model)) for e, model in experts.items()}
        self._banks: dict[str, Bank] = {}
        self._beside: dict[Expert, dict[str, Beside]] = {expert: {} for expert in experts}
        self._adapters: list[str] = []

    @property
    def way(self) -> Way:
        """How adapters are applied; may be set between forwards."""
        return self._work.way

    @way.setter
    def way(self, way: Way) -> None:
        self._work.way = way

    @property
    def beside(self) -> Mapping[Expert, Mapping[str, Beside]]:
        """What stands beside the modules of each expert, by their names; it follows what is attached."""
        return self._beside

    @torch.inference_mode(False)
    def attach(self, name: str, adapter: Adapter) -> Coverage:
        """Put an adapter beside the layers at strength 0, in the place of an earlier one of that name.

        Raises AdapterRefused before anything is touched.
        """
        found = cover(adapter.header, self._shapes)
        if found.refusal:
            raise AdapterRefused(f"{adapter.path.name} cannot be applied here. {found.refusal}")
        planned = list(self._plan(adapter, found))
        self._take_off(name)
        self._adapters.append(name)
        self._put(name, adapter.sha256, planned)
        self._lay_out()
        if is_silent(found.applied.values(), adapter.zeros):
            return replace(found.coverage, warnings=(*found.coverage.warnings, DOES_NOTHING))
        return found.coverage

    @torch.inference_mode(False)
    def detach(self, name: str) -> None:
        """Take an adapter off; the last one leaves every layer as it was born. Unknown names are ignored."""
        if name in self._adapters:
            self._take_off(name)
            self._lay_out()

    def set(self, expert: Expert, strengths: Mapping[str, float]) -> None:
        """Every adapter's strength on one expert from its next forward on; those not named fall silent."""
        if self._strengths[expert].set(strengths):
            for beside in self._beside[expert].values():
                beside.listen()

    def _plan(self, adapter: Adapter, found: Cover) -> Iterator[_Planned]:
        """Everything that can fail, without touching a layer."""
        rules = {
            slot: alpha_rules(adapter.header.metadata, slot) for slot in {slot for slot, _ in found.applied}
        }
        for (slot, module), keys in found.applied.items():
            experts = tuple(e for e in self._modules if slot in (None, e))
            tensors = {part: adapter.tensors[key] for part, key in keys.items()}
            # what depends on the model's own weights is another thing on each expert
            groups = [(e,) for e in experts] if reads_model(frozenset(keys)) else [experts]
            for group in groups:
                owner, parameter = base.locate(self._modules[group[0]], module)
                parts = Parts(module, tensors, rules[slot], partial(base.parameter, owner))
                effect = build(parts, parameter, parameter == "weight" and base.is_matrix(owner))
                yield _Planned(module, group, effect)

    def _put(self, name: str, content: str, planned: list[_Planned]) -> None:
        segments: dict[str, list[Segment]] = {}
        for plan in planned:
            for expert in plan.experts:
                self._put_on(self._place(expert, plan.module), name, content, plan.effect)
            for pair in plan.effect.pairs:
                segments.setdefault(plan.module, []).append(Segment(name, plan.experts, pair, content))
        for module, added in segments.items():
            bank = self._banks.setdefault(module, Bank())
            layer = base.locate(self._modules[added[0].experts[0]], module)[0]
            bank.change([*bank.segments, *added], *base.place(layer))
            for expert in dict.fromkeys(e for segment in added for e in segment.experts):
                self._place(expert, module).matrices.bank = bank

    def _put_on(self, beside: Beside, name: str, content: str, effect: Effect) -> None:
        for delta in effect.deltas:
            device, dtype = base.place(beside.module)
            beside.matrices.put(Placed(name, delta.to(device, dtype), content), device)
        for small in effect.small:
            beside.small.put(name, small, content)

    def _place(self, expert: Expert, module: str) -> Beside:
        """What stands beside a module of one expert, made when it is first needed."""
        places = self._beside[expert]
        if module not in places:
            owner, _ = base.locate(self._modules[expert], module)
            places[module] = Beside(owner, expert, self._strengths[expert], self._work)
        return places[module]

    def _take_off(self, name: str) -> None:
        if name not in self._adapters:
            return
        self._adapters.remove(name)
        for strengths in self._strengths.values():
            strengths.forget(name)
        for bank in self._banks.values():
            left = bank.without(name)
            if len(left) < len(bank.segments):
                bank.change(left, bank.down.device, bank.down.dtype)
        self._banks = {module: bank for module, bank in self._banks.items() if bank}
        for places in self._beside.values():
            for module, beside in list(places.items()):
                beside.take_off(name)
                if not beside:
                    places.pop(module).remove()
        if not self._adapters:
            self._work.clear()

    def _lay_out(self) -> None:
        for expert, strengths in self._strengths.items():
            slots: list[Slot] = []
            offset = 0
            for beside in self._beside[expert].values():
                for slot in beside.slots(offset):
                    slots.append(slot)
                    offset += slot.count
            strengths.lay_out(self._adapters, slots)
            for beside in self._beside[expert].values():
                beside.listen()


def _device(model: nn.Module) -> torch.device:
    return next(model.parameters()).device
