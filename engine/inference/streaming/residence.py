"""One model on a device: how many of its blocks stay there; the others come for their turn."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import nn

from engine.inference.checkpoints.stored import CastLinear
from engine.inference.lora.beside import Beside
from engine.inference.streaming.carried import Carried
from engine.inference.streaming.in_place import InPlace
from engine.inference.streaming.units import Unit, units_of

BesideByName = Callable[[], Mapping[str, Beside]]


class Residence:
    """Hooks around a model's blocks. At first no block stays; what is not in a block always does.

    Whatever stays, the model answers the same, bit for bit: weights are the file's, cast by the same rule.
    `is_carried` copies blocks for their turn even on the CPU, as it is done for other devices.
    """

    def __init__(
        self, model: nn.Module, device: torch.device, beside: BesideByName = dict, is_carried: bool = False
    ) -> None:
        self._units = units_of(model)
        self._beside = beside
        self._way: InPlace | Carried
        if device.type == "cpu" and not is_carried:
            self._way = InPlace(self._units)
        else:
            self._way = Carried(self._units, device, self._beside_of)
        self._staying: set[int] = set()
        _settle(model, self._units, device)
        for unit in self._units:
            unit.module.register_forward_pre_hook(partial(self._before, unit))
            unit.module.register_forward_hook(partial(self._after, unit), always_call=True)

    @property
    def blocks(self) -> int:
        """How many blocks the model has."""
        return sum(unit.name[-1].isdigit() for unit in self._units)

    @property
    def held(self) -> int:
        """Bytes of host memory that weights take because they stay."""
        layers = [layer for unit in self._units if id(unit) in self._staying for layer in unit.layers]
        return sum(layer.weight.nbytes for layer in layers if isinstance(layer, CastLinear))

    def stay(self, blocks: int) -> None:
        """Let so many blocks stay, the first ones; with the first comes what runs before all blocks."""
        self.rest()
        spare = len(self._units) - self.blocks
        staying = {id(unit) for unit in self._units[: blocks + spare]} if blocks else set()
        for unit in self._units:
            if id(unit) in self._staying - staying:
                self._staying.discard(id(unit))
                self._way.leave(unit)
        for unit in self._units:
            if id(unit) in staying - self._staying:
                self._way.stay(unit)
                self._staying.add(id(unit))

    def rest(self) -> None:
        """The model does not run for a while: nothing that streams is on the device."""
        self._way.rest()

    def _before(self, unit: Unit, *_: Any) -> None:
        if id(unit) not in self._staying:
            self._way.bring(unit)

    def _after(self, unit: Unit, *_: Any) -> None:
        if id(unit) not in self._staying:
            self._way.take_back(unit)

    def _beside_of(self, unit: Unit) -> list[Beside]:
        inside = f"{unit.name}."
        return [beside for name, beside in self._beside().items() if name.startswith(inside)]


def _settle(model: nn.Module, units: tuple[Unit, ...], device: torch.device) -> None:
    """Put on the device what never leaves it: everything but the weights of the blocks' layers."""
    layers = {id(layer) for unit in units for layer in unit.layers}
    for module in model.modules():
        streams = id(module) in layers
        for name, parameter in module.named_parameters(recurse=False):
            if not (streams and name == "weight"):
                parameter.data = parameter.data.to(device)
        if not streams:
            for name, buffer in module.named_buffers(recurse=False):
                module._buffers[name] = buffer.to(device)
            if isinstance(module, CastLinear):
                module.stay(device)
