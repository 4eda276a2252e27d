"""On the output, on the weight and merged, every kind means the same on every form of weights but for roundings.

Merged is W + s·ΔW in float64, from what the stored weight is worth. The others may be off by roundings of
the type that the layer computes in: so many of them, of ‖x‖ · (‖row of the merged W‖ + ‖row of W‖).
"""

import pytest
import torch
from torch import Tensor, nn

from catalog.peft_alpha import NO_RULES
from engine.inference.lora import base
from engine.inference.lora.bank import Segment
from engine.inference.lora.build import build
from engine.inference.lora.kinds.parts import Parts
from engine.inference.lora.matrices import Matrices, Placed
from engine.inference.lora.strengths import Strengths
from engine.inference.lora.workspace import Way, Workspace
from tests.unit.inference.lora.bases import COMPUTED_IN, linear, worth
from tests.unit.inference.lora.test_kinds import KINDS

OUT, INTO, TOKENS = 64, 96, 40
ROUNDINGS = {4: 2.0, 2: 0.4}
"""By the type's bytes; sums are in float32, so that half precision rounds less often."""
STRENGTHS = (0.05, 0.3, 1.0, -2.5)


def parts_of(kind: str) -> dict[str, Tensor]:
    """A file's tensors for the layer, with a change that is of the size of the weight."""
    generator = torch.Generator().manual_seed(5)
    return KINDS[kind](lambda *shape: torch.randn(shape, generator=generator) * 0.4, OUT, INTO, 8)


def matrices_for(layer: nn.Linear, kind: str, way: Way) -> tuple[Matrices, Strengths]:
    """One adapter on the layer, silent."""
    strengths, cpu = Strengths(torch.device("cpu")), torch.device("cpu")
    matrices = Matrices("high", strengths, Workspace(way))
    effect = build(
        Parts("layer", parts_of(kind), NO_RULES, lambda name: base.parameter(layer, name)), "weight", True
    )
    dtype = base.compute_dtype(layer)
    matrices.bank.change([Segment("a", ("high",), pair) for pair in effect.pairs], cpu, dtype)
    matrices.placed = [Placed("a", delta.to(cpu, dtype)) for delta in effect.deltas]
    strengths.lay_out(["a"], matrices.slots(0))
    return matrices, strengths


def answers(layer: nn.Linear, kind: str, way: Way, x: Tensor, strength: float) -> Tensor:
    """What the layer says with the adapter at that strength."""
    matrices, strengths = matrices_for(layer, kind, way)
    strengths.set({"a": strength})
    assert matrices.listen()
    if way == "fast":
        return nn.functional.linear(x, matrices.composed(layer))
    return matrices.added(layer, x, layer(x))


def merged(layer: nn.Linear, kind: str, strength: float) -> Tensor:
    """W + s·ΔW in float64."""
    whole = nn.Linear(INTO, OUT, bias=False).requires_grad_(False).double()
    whole.weight.copy_(worth(layer))
    changed = answers(whole, kind, "exact", torch.eye(INTO, dtype=torch.float64), 1.0).T
    return whole.weight + strength * (changed - whole.weight)


@pytest.mark.parametrize("way", ["exact", "fast"])
@pytest.mark.parametrize("form", COMPUTED_IN)
@pytest.mark.parametrize("kind", KINDS)
def test_both_ways_are_the_merged_layer(kind: str, form: str, way: Way) -> None:
    generator = torch.Generator().manual_seed(6)
    dtype = COMPUTED_IN[form]
    layer = linear(form, torch.randn(OUT, INTO, generator=generator) * 0.1)
    x = torch.randn(TOKENS, INTO, generator=generator).to(dtype)
    for strength in STRENGTHS:
        wanted_weight = merged(layer, kind, strength)
        wanted = x.double() @ wanted_weight.T
        error = (answers(layer, kind, way, x, strength).double() - wanted).abs()
        rows = wanted_weight.norm(dim=1) + worth(layer).norm(dim=1)
        allowed = (
            ROUNDINGS[dtype.itemsize] * torch.finfo(dtype).eps * x.double().norm(dim=1, keepdim=True) * rows
        )
        assert (error <= allowed).all()
        assert abs(strength) < 1 or (wanted - x.double() @ worth(layer).T).norm() > 5 * allowed.norm()


@pytest.mark.parametrize("form", COMPUTED_IN)
def test_a_weight_that_nobody_changes_is_what_is_stored(form: str) -> None:
    generator = torch.Generator().manual_seed(7)
    weight = torch.randn(OUT, INTO, generator=generator)
    layer = linear(form, weight)
    assert torch.equal(worth(layer).to(COMPUTED_IN[form]), base.matrix(layer))
    # half a step of the coarsest form beside the largest number of a row
    assert (worth(layer) - weight).abs().max() < weight.abs().max() / 14
