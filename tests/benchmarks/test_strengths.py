"""A fader moves: 400 layers with five adapters of rank 64 each get new strengths."""

from itertools import count
from pathlib import Path
from typing import Any

import pytest
from diffusers import WanPipeline

from engine.inference.lora.rack import Rack
from tests.benchmarks.layouts import NARROW_14B, hollow, lora_file, read

pytestmark = [pytest.mark.benchmark(group="strengths"), pytest.mark.filterwarnings("ignore")]
NAMES = [f"a{number}" for number in range(5)]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder, model = tmp_path_factory.mktemp("loras"), hollow(NARROW_14B)
    return {name: lora_file(model, folder / f"{name}.safetensors", i) for i, name in enumerate(NAMES)}


def _strengths(turn: int) -> list[float]:
    return [1 + (turn * 7 + i) % 10 / 10 for i in range(len(NAMES))]


def test_rack(benchmark: Any, files: dict[str, Path]) -> None:
    rack, turns = Rack({"high": hollow(NARROW_14B)}), count()
    for name, path in files.items():
        rack.attach(name, read(path))
    benchmark(lambda: rack.set("high", dict(zip(NAMES, _strengths(next(turns)), strict=True))))


def test_diffusers(benchmark: Any, files: dict[str, Path]) -> None:
    model, turns = hollow(NARROW_14B), count()
    for name, path in files.items():
        state = WanPipeline.lora_state_dict(path.parent, weight_name=path.name, use_safetensors=True)
        WanPipeline.load_lora_into_transformer(state, model, adapter_name=name)
    benchmark(lambda: model.set_adapters(NAMES, _strengths(next(turns))))
