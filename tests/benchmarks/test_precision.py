"""How exact, fast and merged differ from float64: a table of errors, on a layer of Wan's widths; `-s` shows it.

One layer 1536 → 1536, 512 tokens, a LoRA of rank 64 whose ‖ΔW‖ is 3 % of ‖W‖. For each: the relative error
of the whole answer; that of what the adapter adds, which holds the rounding of the layer's own answer too;
and how much of what it should add arrives in its direction (1: all of it; below, some is lost in rounding).
Merged is W + s·ΔW rounded to the form in which the weight is stored.
"""

import sys
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from engine.inference.lora.bank import Segment
from engine.inference.lora.delta import Pair
from engine.inference.lora.matrices import Matrices
from engine.inference.lora.strengths import Strengths
from engine.inference.lora.workspace import Workspace
from tests.unit.inference.lora.bases import COMPUTED_IN, linear, worth

WIDTH, TOKENS, RANK = 1536, 512, 64
CHANGE = 0.03
FORMS = ("bf16", "fp16", "fp8", "Q8_0", "Q4_0")
STRENGTHS = (0.05, 0.3, 1.0, 2.5)

pytestmark = pytest.mark.benchmark


def _drawn(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _pair(weight: Tensor, dtype: torch.dtype) -> Pair:
    """As a file has it, in the type that the layer keeps it in."""
    down, up = _drawn(RANK, WIDTH, seed=1), _drawn(WIDTH, RANK, seed=2)
    up *= CHANGE * weight.norm() / (up @ down).norm()
    return Pair(down.to(dtype), up.to(dtype))


def _answers(form: str, layer: nn.Linear, pair: Pair, x: Tensor, strength: float) -> Iterator[Tensor]:
    """Exact, fast and merged."""
    strengths, cpu = Strengths(torch.device("cpu")), torch.device("cpu")
    matrices = Matrices("high", strengths, Workspace())
    matrices.bank.change([Segment("a", ("high",), pair)], cpu, pair.down.dtype)
    strengths.lay_out(["a"], matrices.slots(0))
    strengths.set({"a": strength})
    matrices.listen()
    yield matrices.added(layer, x, layer(x))
    yield nn.functional.linear(x, matrices.composed(layer))
    changed = worth(layer) + strength * pair.up.double() @ pair.down.double()
    yield linear(form, changed.float())(x)


def _line(form: str, strength: float) -> str:
    dtype, weight = COMPUTED_IN[form], _drawn(WIDTH, WIDTH, seed=0) / WIDTH**0.5
    layer, x = linear(form, weight), _drawn(TOKENS, WIDTH, seed=3).to(dtype)
    pair = _pair(weight, dtype)
    own = x.double() @ worth(layer).T
    added = strength * (x.double() @ pair.down.double().T) @ pair.up.double().T
    bare = layer(x).double()
    found = list(_answers(form, layer, pair, x, strength))
    errors = [answer.double() - own - added for answer in found]
    numbers = [
        [f"{100 * float(error.norm() / (own + added).norm()):8.3f}" for error in errors],
        [f"{float(error.norm() / added.norm()):8.3f}" for error in errors],
        [f"{float(((answer - bare) * added).sum() / added.square().sum()):8.3f}" for answer in found],
    ]
    return f"{form:6}{strength:9.2f}" + "".join(" " + "".join(row) for row in numbers)


@torch.inference_mode()
def test_precision() -> None:
    titles = ("error of the answer, %", "error of what is added", "share that arrives")
    ways = " " + "".join(f"{way:>8}" for way in ("exact", "fast", "merged"))
    lines = [" " * 15 + "".join(f" {title:^24}" for title in titles), f"{'weight strength':15}{ways * 3}"]
    lines += [_line(form, strength) for form in FORMS for strength in STRENGTHS]
    sys.stdout.write("\n" + "\n".join(lines) + "\n")
