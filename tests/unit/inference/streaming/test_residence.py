"""A model answers the same bit for bit whatever stays in memory, with and without adapters."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from catalog.header import read_header
from engine.errors import Cancelled
from engine.inference.checkpoints.stored import CastLinear
from engine.inference.checkpoints.transformer_file import load_transformer
from engine.inference.interrupt import interruptible
from engine.inference.lora.meter import Meter
from engine.inference.lora.rack import Rack
from engine.inference.lora.read import read_adapter
from engine.inference.lora.workspace import Way
from engine.inference.streaming.residence import Residence
from engine.live import LiveControls
from tests.lora_files import lora_file
from tests.unit.inference.checkpoints import gguf_files, tiny_parts

CPU = torch.device("cpu")
BLOCKS = 2


def bf16(folder: Path, tensors: tiny_parts.Tensors) -> Path:
    halves = {name: tensor.to(torch.bfloat16) for name, tensor in tensors.items()}
    return tiny_parts.write(folder / "bf16.safetensors", halves)


def f32(folder: Path, tensors: tiny_parts.Tensors) -> Path:
    return tiny_parts.write(folder / "f32.safetensors", tensors)


def fp8(folder: Path, tensors: tiny_parts.Tensors) -> Path:
    return tiny_parts.write(folder / "fp8.safetensors", tiny_parts.scaled(tensors)[0])


def gguf(folder: Path, tensors: tiny_parts.Tensors) -> Path:
    gguf_files.write(folder / "q8.gguf", tensors, "Q8_0")
    return folder / "q8.gguf"


@pytest.fixture(scope="module", params=[bf16, f32, fp8, gguf], ids=lambda write: write.__name__)
def file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small transformer in one file."""
    write: Callable[[Path, tiny_parts.Tensors], Path] = request.param
    return write(tmp_path_factory.mktemp("model"), tiny_parts.original(tiny_parts.transformer()))


@pytest.fixture(params=[False, True], ids=["in place", "carried"])
def resting(request: pytest.FixtureRequest, file: Path) -> tuple[Any, Residence, Rack]:
    """The model at rest, with no block that stays; carried as to another device, or used in place."""
    model = load_transformer(file, torch.float32, at_rest=True)
    racks: list[Rack] = []
    residence = Residence(model, CPU, lambda: racks[0].beside["high"], is_carried=request.param)
    racks.append(Rack({"high": model}))
    return model, residence, racks[0]


@pytest.mark.parametrize("staying", [0, 1, BLOCKS])
def test_it_answers_as_when_all_of_it_is_in_memory(
    file: Path, resting: tuple[Any, Residence, Rack], staying: int
) -> None:
    model, residence, _ = resting
    residence.stay(staying)
    wanted = tiny_parts.predict(load_transformer(file, torch.float32))
    for _ in range(2):  # a second pass begins with what the first one has fetched
        assert torch.equal(tiny_parts.predict(model), wanted)


@pytest.mark.parametrize("way", ["exact", "fast"])
@pytest.mark.parametrize("kind", ["comfyui", "loha", "lokr"])
def test_adapters_play_the_same(
    file: Path, resting: tuple[Any, Residence, Rack], tmp_path: Path, kind: str, way: Way
) -> None:
    model, residence, rack = resting
    adapter = lora_file(tmp_path, kind, tiny_parts.transformer())[0]
    whole = load_transformer(file, torch.float32)
    beside_whole = Rack({"high": whole}, way)
    bare = tiny_parts.predict(model)
    rack.way = way
    for each in (rack, beside_whole):
        each.attach("a", read_adapter(adapter, read_header(adapter)))
    for strength in (0.7, -1.3):
        for each in (rack, beside_whole):
            each.set("high", {"a": strength})
        wanted = tiny_parts.predict(whole)
        assert not torch.equal(wanted, bare)
        for staying in (0, 1, BLOCKS, 0):
            residence.stay(staying)
            assert torch.equal(tiny_parts.predict(model), wanted)
    rack.set("high", {"a": 0.0})
    assert torch.equal(tiny_parts.predict(model), bare)
    rack.detach("a")
    assert torch.equal(tiny_parts.predict(model), bare)


def test_meters_measure_the_same(file: Path, resting: tuple[Any, Residence, Rack], tmp_path: Path) -> None:
    model, _, rack = resting
    adapter = lora_file(tmp_path, "comfyui", tiny_parts.transformer())[0]
    whole = load_transformer(file, torch.float32)
    beside_whole = Rack({"high": whole})
    found = []
    for each, played in ((rack, model), (beside_whole, whole)):
        each.attach("a", read_adapter(adapter, read_header(adapter)))
        each.set("high", {"a": 1.0})
        meter = Meter(each.beside)
        meter.begin("high", ["a"])
        tiny_parts.predict(played)
        found.append(meter.ratios())
    assert found[0] == found[1] and found[0]["a"] > 0


def test_what_no_longer_stays_is_held_no_longer(resting: tuple[Any, Residence, Rack]) -> None:
    model, residence, _ = resting
    before = {name: state(module) for name, module in model.named_modules()}
    residence.stay(BLOCKS)
    tiny_parts.predict(model)
    has_cast = any(isinstance(module, CastLinear) for module in model.blocks.modules())
    assert bool(residence.held) == has_cast
    residence.stay(0)
    assert residence.held == 0
    assert {name: state(module) for name, module in model.named_modules()} == before


def state(module: torch.nn.Module) -> list[tuple[str, int]]:
    """Where a module's own tensors lie."""
    own = (module._parameters, module._buffers)
    return [(name, tensor.data_ptr()) for each in own for name, tensor in each.items() if tensor is not None]


def test_a_run_can_be_cancelled_between_two_blocks(resting: tuple[Any, Residence, Rack]) -> None:
    model, residence, _ = resting
    wanted, live = tiny_parts.predict(model), LiveControls()
    before = {name: state(module) for name, module in model.named_modules()}
    hook = model.blocks[0].register_forward_hook(lambda *_: live.cancel())
    with pytest.raises(Cancelled), interruptible(model.blocks, live):
        tiny_parts.predict(model)
    hook.remove()
    residence.rest()
    assert {name: state(module) for name, module in model.named_modules()} == before
    assert torch.equal(tiny_parts.predict(model), wanted)


@pytest.mark.parametrize("is_carried", [False, True], ids=["in place", "carried"])
def test_memory_that_runs_out_leaves_nothing_behind(file: Path, is_carried: bool) -> None:
    model = load_transformer(file, torch.float32, at_rest=True)
    residence = Residence(model, CPU, is_carried=is_carried)
    wanted = tiny_parts.predict(model)

    def fail(*_: object) -> Tensor:
        raise torch.OutOfMemoryError("none left")

    hook = model.blocks[1].attn1.register_forward_pre_hook(fail)
    with pytest.raises(torch.OutOfMemoryError):
        tiny_parts.predict(model)
    hook.remove()
    residence.stay(1)
    assert torch.equal(tiny_parts.predict(model), wanted)
