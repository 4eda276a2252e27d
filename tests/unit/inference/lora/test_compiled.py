"""A compiled layer hears its faders without being compiled again."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from engine.inference.lora.rack import Rack
from engine.inference.lora.workspace import Way
from tests.unit.inference.lora.layouts import WIDTH, drawn, model, pairs, small_ones, written


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("way", ["exact", "fast"])
def test_a_change_of_strength_compiles_nothing_anew(way: Way, tmp_path: Path) -> None:
    playing, eager = model(), model()
    racks = [Rack({"high": one}, way) for one in (playing, eager)]
    for rack in racks:
        rack.attach("a", written(tmp_path, pairs() | small_ones()))
    graphs = 0

    def count(graph: torch.fx.GraphModule, _: list[Tensor]) -> object:
        nonlocal graphs
        graphs += 1
        return graph.forward

    torch._dynamo.reset()
    compiled, x = torch.compile(playing, backend=count), drawn(2, 5, WIDTH)
    made = []
    for strength in (1.0, 0.9, 0.5, -0.3, 2.5):
        for rack in racks:
            rack.set("high", {"a": strength})
        with torch.no_grad():
            torch.testing.assert_close(compiled(x), eager(x), rtol=1e-5, atol=1e-5)
        made.append(graphs)
    # the second pass may compile once more: the first one made the workspace
    assert made[1:] == [made[1]] * 4
