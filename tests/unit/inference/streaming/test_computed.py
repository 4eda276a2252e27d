"""Blocks that come for their turn are compiled and skipped as those that stay."""

from pathlib import Path
from typing import Any

import pytest
import torch

from catalog.header import read_header
from engine.inference.computing_cache import StepCache
from engine.inference.computing_compile import CompiledBlocks
from engine.inference.lora.rack import Rack
from engine.inference.lora.read import read_adapter
from engine.inference.streaming.residence import Residence
from tests.lora_files import lora_file
from tests.unit.inference.checkpoints import tiny_parts
from tests.unit.inference.compilers import Graphs
from tests.unit.inference.streaming.test_residence import file, resting  # noqa: F401 - fixtures


@pytest.mark.parametrize("staying", [0, 1])
def test_a_block_that_streams_is_compiled_and_skipped_alike(
    resting: tuple[Any, Residence, Rack],  # noqa: F811
    staying: int,
    tmp_path: Path,
) -> None:
    torch._dynamo.reset()
    model, residence, rack = resting
    lora, _ = lora_file(tmp_path, "kohya", tiny_parts.transformer())
    rack.attach("a", read_adapter(lora, read_header(lora)))
    rack.way = "fast"
    residence.stay(staying)
    graphs = Graphs()
    blocks = CompiledBlocks({"high": model}, rack.beside, graphs)
    for strength in (0.0, 1.0, -0.4):
        rack.set("high", {"a": strength})
        wanted = tiny_parts.predict(model)
        cache = StepCache(model.blocks, 1.0)
        with blocks.working(), cache.working():
            for is_skipped in (False, True):
                cache.begin_step()
                torch.testing.assert_close(tiny_parts.predict(model), wanted, rtol=1e-5, atol=1e-5)
                assert cache.has_skipped == is_skipped
        assert torch.equal(tiny_parts.predict(model), wanted), "nothing is left of it"
    assert graphs.count == 1
    residence.rest()
