"""A LoRA file of the 14B layout (40 blocks, 10 linear layers each, rank 64) onto a model: ours and diffusers'.

`attach` begins with the file's tensors at hand, as diffusers' load_lora_into_transformer does; `open` with the
file. Ours also reads, hashes and checks every number then, where diffusers only maps the file.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from diffusers import WanPipeline, WanTransformer3DModel

from engine.inference.lora.rack import Rack
from tests.benchmarks.layouts import WAN_14B, hollow, lora_file, read
from tests.benchmarks.memory import peak_noted

pytestmark = [pytest.mark.benchmark, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lora_file(hollow(WAN_14B), tmp_path_factory.mktemp("lora") / "big.safetensors")


@pytest.fixture(autouse=True)
def said(request: pytest.FixtureRequest, benchmark: Any) -> Iterator[None]:
    """Say the peak memory, which the table of times leaves out."""
    yield
    sys.stdout.write(
        f"\n{request.node.name}: {benchmark.extra_info.get('peak MB', 'unknown')} MB at the peak\n"
    )


@pytest.mark.benchmark(group="attach")
def test_attach_rack(benchmark: Any, file: Path) -> None:
    adapter = read(file)

    def attach(model: WanTransformer3DModel) -> None:
        with peak_noted(benchmark.extra_info):
            Rack({"high": model}).attach("a", adapter)

    benchmark.pedantic(attach, setup=lambda: ((hollow(WAN_14B),), {}), rounds=5)


@pytest.mark.benchmark(group="attach")
def test_attach_diffusers(benchmark: Any, file: Path) -> None:
    state = WanPipeline.lora_state_dict(file.parent, weight_name=file.name, use_safetensors=True)

    def attach(model: WanTransformer3DModel) -> None:
        with peak_noted(benchmark.extra_info):
            WanPipeline.load_lora_into_transformer(
                dict(state), model, adapter_name="a", low_cpu_mem_usage=True
            )

    benchmark.pedantic(attach, setup=lambda: ((hollow(WAN_14B),), {}), rounds=5)


@pytest.mark.benchmark(group="open")
def test_open_rack(benchmark: Any, file: Path) -> None:
    def attach(model: WanTransformer3DModel) -> None:
        with peak_noted(benchmark.extra_info):
            adapter = read(file)
            Rack({"high": model}).attach("a", adapter)
            assert len(adapter.sha256) == 64  # the whole file is hashed too

    benchmark.pedantic(attach, setup=lambda: ((hollow(WAN_14B),), {}), rounds=3)


@pytest.mark.benchmark(group="open")
def test_open_diffusers(benchmark: Any, file: Path) -> None:
    def attach(model: WanTransformer3DModel) -> None:
        with peak_noted(benchmark.extra_info):
            state = WanPipeline.lora_state_dict(file.parent, weight_name=file.name, use_safetensors=True)
            WanPipeline.load_lora_into_transformer(state, model, adapter_name="a", low_cpu_mem_usage=True)

    benchmark.pedantic(attach, setup=lambda: ((hollow(WAN_14B),), {}), rounds=3)
