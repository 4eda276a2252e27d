"""From a LoRA file of the 14B layout (40 blocks, 10 linear layers each, rank 64) to a model that plays it."""

from pathlib import Path
from typing import Any

import pytest
from diffusers import WanPipeline, WanTransformer3DModel

from engine.inference.lora.rack import Rack
from tests.benchmarks.layouts import WAN_14B, hollow, lora_file, read

pytestmark = [pytest.mark.benchmark(group="attach"), pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lora_file(hollow(WAN_14B), tmp_path_factory.mktemp("lora") / "big.safetensors")


def test_rack(benchmark: Any, file: Path) -> None:
    def attach(model: WanTransformer3DModel) -> str:
        adapter = read(file)
        Rack({"high": model}).attach("a", adapter)
        return adapter.sha256  # the whole file is hashed too

    benchmark.pedantic(attach, setup=lambda: ((hollow(WAN_14B),), {}), rounds=3)


def test_diffusers(benchmark: Any, file: Path) -> None:
    def attach(model: WanTransformer3DModel) -> None:
        state = WanPipeline.lora_state_dict(file.parent, weight_name=file.name, use_safetensors=True)
        WanPipeline.load_lora_into_transformer(state, model, adapter_name="a", low_cpu_mem_usage=True)

    benchmark.pedantic(attach, setup=lambda: ((hollow(WAN_14B),), {}), rounds=2)
