"""Adapters on weights that stay stored do what they do on the same weights in full."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from catalog.header import read_header
from engine.inference.checkpoints.stored import StoredLinear
from engine.inference.checkpoints.transformer_file import load_transformer
from engine.inference.lora.rack import Rack
from engine.inference.lora.read import read_adapter
from engine.inference.lora.workspace import Way
from tests.lora_files import lora_file
from tests.unit.inference.checkpoints import gguf_files, tiny_parts


@pytest.fixture(scope="module", params=["fp8", "gguf"])
def models(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """A transformer with stored weights, and one with what they are worth."""
    folder = tmp_path_factory.mktemp("stored")
    tensors = tiny_parts.original(tiny_parts.transformer())
    if request.param == "fp8":
        stored, worth = tiny_parts.scaled(tensors)
        file = tiny_parts.write(folder / "stored.safetensors", stored)
    else:
        file = folder / "stored.gguf"
        worth = gguf_files.write(file, tensors, "Q8_0")
    plain = tiny_parts.write(folder / "plain.safetensors", worth)
    return load_transformer(file, torch.float32), load_transformer(plain, torch.float32)


def adapter_file(folder: Path, kind: str) -> Path:
    if kind != "dora":
        return lora_file(folder, kind, tiny_parts.transformer())[0]
    file, _ = lora_file(folder, "comfyui", tiny_parts.transformer())
    tensors = load_file(file)
    for key in [key for key in tensors if key.endswith("self_attn.q.alpha")]:
        tensors[key.replace(".alpha", ".dora_scale")] = torch.linspace(0.5, 2, 256).reshape(-1, 1)
    return tiny_parts.write(folder / "dora.safetensors", tensors)


def played(model: Any, file: Path, way: Way, strength: float) -> Tensor:
    rack = Rack({"high": model}, way)
    rack.attach("a", read_adapter(file, read_header(file)))
    rack.set("high", {"a": strength})
    try:
        return tiny_parts.predict(model)
    finally:
        rack.detach("a")


@pytest.mark.parametrize("way", ["exact", "fast", "auto"])
@pytest.mark.parametrize("kind", ["comfyui", "loha", "lokr", "dora"])
def test_they_add_the_same(models: tuple[Any, Any], tmp_path: Path, kind: str, way: Way) -> None:
    stored, plain = models
    bare, file = tiny_parts.predict(stored), adapter_file(tmp_path, kind)
    found, wanted = played(stored, file, way, 0.7), played(plain, file, way, 0.7)
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)
    assert (found - bare).norm() > 0.01 * bare.norm()
    assert torch.equal(played(stored, file, way, 0.0), bare)
    assert torch.equal(tiny_parts.predict(stored), bare)
    assert isinstance(stored.blocks[0].attn1.to_q, StoredLinear)
