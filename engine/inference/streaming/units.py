"""What of a model comes and goes as one: a block with the large weights of its layers."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor, nn

from engine.inference.checkpoints.stored import StoredLinear

_LISTS = ("vace_blocks", "blocks", "encoder.block")
_BEFORE = "condition_embedder"


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """One block of a model, by its name there; `layers` are its linear ones, with nearly all of its weights."""

    name: str
    module: nn.Module
    layers: tuple[nn.Linear, ...]

    def weights(self) -> Iterator[Tensor]:
        """What the layers' weights are stored in."""
        for layer in self.layers:
            yield from stored(layer).values()


def units_of(model: nn.Module) -> tuple[Unit, ...]:
    """The units of a transformer or a text encoder, in the order in which they run."""
    found = [_unit(_BEFORE, getattr(model, _BEFORE))] if hasattr(model, _BEFORE) else []
    modules = dict(model.named_modules())
    for name in _LISTS:
        if isinstance(blocks := modules.get(name), nn.ModuleList):
            found += [_unit(f"{name}.{index}", block) for index, block in enumerate(blocks)]
    return tuple(found)


def stored(layer: nn.Linear) -> dict[str, Tensor]:
    """The tensors that a layer's weight is made of, by their names in it."""
    if isinstance(layer, StoredLinear):
        return {name: tensor for name, tensor in layer.named_buffers(recurse=False)}
    return {"weight": layer.weight.detach()}


def _unit(name: str, module: nn.Module) -> Unit:
    return Unit(name, module, tuple(m for m in module.modules() if isinstance(m, nn.Linear)))
