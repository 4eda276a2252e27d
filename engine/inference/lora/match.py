"""Which of an adapter's deltas a model can take, decided before the model is touched."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from catalog.models import Expert
from engine.errors import AdapterRefused
from engine.inference.lora.deltas import Delta
from engine.inference.lora.read import Adapter
from engine.messages import Coverage


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """Deltas by expert and module name, all of which fit; and what that covers."""

    deltas: Mapping[Expert, Mapping[str, Delta]]
    coverage: Coverage


def match(adapter: Adapter, experts: Mapping[Expert, nn.Module]) -> Match:
    """Fit an adapter to a model's experts.

    Layers that the model does not have are left out and named; a layer of another shape, or a file
    of which nothing applies, raises AdapterRefused.
    """
    deltas: dict[Expert, dict[str, Delta]] = {}
    ignored, of, applied = list(adapter.ignored), 0, 0
    for slot, wanted in adapter.deltas.items():
        targets = [e for e in experts if slot in (None, e)]
        of += len(wanted)
        if not targets:
            ignored += [(module, f"for the {slot}-noise expert, which this model lacks") for module in wanted]
            continue
        fitting = {m: d for m, d in wanted.items() if _fits(experts[targets[0]], m, d, adapter.path.name)}
        ignored += [(m, "this model has no such layer") for m in wanted if m not in fitting]
        applied += len(fitting)
        for expert in targets:
            deltas.setdefault(expert, {}).update(fitting)
    if not applied:
        raise AdapterRefused(f"Nothing in {adapter.path.name} applies to the loaded model.")
    return Match(deltas, Coverage(applied, of, tuple(e for e in experts if deltas.get(e)), tuple(ignored)))


def _fits(model: nn.Module, module: str, delta: Delta, name: str) -> bool:
    """Whether the model has this layer; raises AdapterRefused when it is of another shape."""
    try:
        layer = model.get_submodule(module)
    except AttributeError:
        return False
    if not isinstance(layer, nn.Linear):
        raise AdapterRefused(
            f"{name} changes {module}, which is no linear layer; that cannot be applied yet."
        )
    if delta.shape != (layer.out_features, layer.in_features):
        made, has = "×".join(map(str, delta.shape)), f"{layer.out_features}×{layer.in_features}"
        raise AdapterRefused(f"{name} does not fit: its {module} is {made}, the model's is {has}.")
    return True
