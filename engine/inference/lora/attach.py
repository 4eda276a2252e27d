"""Adapters beside linear layers: added to their output at run time, at strengths set between steps."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor, nn

from catalog.models import Expert
from engine.inference.lora.deltas import Delta

_CHILD = "adapters"


class Strength:
    """How strongly one adapter plays on one expert; shared by all its layers, so setting it is one write."""

    def __init__(self) -> None:
        self.value = 0.0


class Played(nn.Module):
    """The adapters on one linear layer: a child of the layer, so that it moves to devices with it."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.entries: dict[str, tuple[Delta, Strength]] = {}
        self.deltas = nn.ModuleList()
        self.hook = layer.register_forward_hook(self._add)

    def change(self, entries: dict[str, tuple[Delta, Strength]]) -> None:
        """Play these adapters from now on."""
        self.entries = entries
        self.deltas = nn.ModuleList(delta for delta, _ in entries.values())

    def _add(self, layer: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
        """Forward hook; None (output untouched, bit for bit) when every strength is 0."""
        heard = [(delta, strength.value) for delta, strength in self.entries.values() if strength.value]
        if not heard:
            return None
        output = output.contiguous()
        for delta, strength in heard:
            delta.add_to(output, args[0], strength)
        return output


def put_on(layer: nn.Linear, adapter: str, delta: Delta, strength: Strength) -> None:
    """Add one adapter's delta to a layer."""
    played: Played | None = getattr(layer, _CHILD, None)
    if played is None:
        played = Played(layer)
        setattr(layer, _CHILD, played)
    played.change(played.entries | {adapter: (delta.to(layer.weight.device, layer.weight.dtype), strength)})


def take_off(layer: nn.Linear, adapter: str) -> None:
    """Remove one adapter's delta; the last one leaves the layer as it was born."""
    played: Played | None = getattr(layer, _CHILD, None)
    if played is None or adapter not in played.entries:
        return
    left = {name: entry for name, entry in played.entries.items() if name != adapter}
    played.change(left)
    if not left:
        played.hook.remove()
        delattr(layer, _CHILD)


@dataclass(slots=True)
class Attached:
    """One adapter on a model: its strength per expert and the layers it sits on."""

    adapter: str
    strengths: dict[Expert, Strength] = field(default_factory=dict)
    layers: list[nn.Linear] = field(default_factory=list)

    def put(self, expert: Expert, model: nn.Module, deltas: Mapping[str, Delta]) -> None:
        """Put deltas (by module name) on one expert."""
        strength = self.strengths.setdefault(expert, Strength())
        for module, delta in deltas.items():
            layer = model.get_submodule(module)
            assert isinstance(layer, nn.Linear)
            put_on(layer, self.adapter, delta, strength)
            self.layers.append(layer)

    def remove(self) -> None:
        """Take this adapter off everywhere."""
        for layer in self.layers:
            take_off(layer, self.adapter)
        self.layers.clear()
