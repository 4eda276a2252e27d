"""Reading a LoRA file: every number as stored, and nothing believed that is not there."""

import hashlib
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save, save_file

from catalog.header import read_header
from engine.errors import AdapterRefused
from engine.inference.lora.read import read_adapter
from tests.unit.inference.lora.layouts import drawn, pairs

TYPES = (
    torch.float64,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.float8_e4m3fn,
    torch.float8_e5m2,
    torch.int64,
    torch.uint8,
    torch.bool,
)


def test_every_type_comes_back_as_it_was_stored(tmp_path: Path) -> None:
    tensors = {f"t{i}": drawn(3, i + 1, seed=i).to(kind) for i, kind in enumerate(TYPES)}
    file = tmp_path / "types.safetensors"
    save_file(tensors, file)
    read = read_adapter(file, read_header(file)).tensors
    assert read.keys() == tensors.keys()
    for key, tensor in tensors.items():
        assert read[key].dtype == tensor.dtype
        assert torch.equal(read[key].view(torch.uint8), tensor.view(torch.uint8))


def test_tensors_at_odd_places_are_read_too(tmp_path: Path) -> None:
    data = save({"odd": drawn(3, 5), "byte": torch.tensor([7], dtype=torch.uint8)})
    length = int.from_bytes(data[:8], "little")
    text = data[8 : 8 + length].rstrip() + b" "  # an unpadded header: all that follows moves by a little
    file = tmp_path / "odd.safetensors"
    file.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])
    assert (8 + len(text)) % 4
    assert torch.equal(read_adapter(file, read_header(file)).tensors["odd"], drawn(3, 5))


def test_the_hash_is_that_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a.safetensors"
    save_file(pairs(), file)
    assert read_adapter(file, read_header(file)).sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize("change", [-7, +7])
def test_a_file_that_changed_since_its_header_was_read_is_refused(tmp_path: Path, change: int) -> None:
    file = tmp_path / "a.safetensors"
    save_file(pairs(), file)
    header = read_header(file)
    os.truncate(file, header.size + change)
    with pytest.raises(AdapterRefused, match="changed while"):
        read_adapter(file, header)


def test_a_file_that_went_away_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.safetensors"
    save_file(pairs(), file)
    header = read_header(file)
    file.unlink()
    with pytest.raises(AdapterRefused, match="cannot be read"):
        read_adapter(file, header)


@pytest.mark.parametrize("kind", [torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn])
def test_a_single_nan_is_found_and_named(tmp_path: Path, kind: torch.dtype) -> None:
    spoiled = drawn(40, 40)
    spoiled[17, 23] = float("nan")
    file = tmp_path / "a.safetensors"
    save_file({"good": drawn(4, 4).to(kind), "spoiled": spoiled.to(kind)}, file)
    with pytest.raises(AdapterRefused, match="spoiled holds NaN"):
        read_adapter(file, read_header(file))
