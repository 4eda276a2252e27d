"""Tensors of a file are mapped, whatever their alignment."""

import json
from pathlib import Path

import torch

from catalog.header import read_header
from engine.inference.checkpoints.weights import mapped
from tests.unit.inference.checkpoints import tiny_parts


def test_tensors_that_nothing_aligns_are_read(tmp_path: Path) -> None:
    wanted = torch.randn(5, 3)
    entries = {
        "odd": {"dtype": "F8_E4M3", "shape": [3], "data_offsets": [0, 3]},
        "after": {"dtype": "F32", "shape": [5, 3], "data_offsets": [3, 63]},
    }
    text = json.dumps(entries).encode()
    path = tmp_path / "x.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"\x38\x40\x44" + wanted.numpy().tobytes())
    read = mapped(path, read_header(path))
    assert torch.equal(read("after"), wanted)  # type: ignore[arg-type]
    odd = read("odd")
    assert isinstance(odd, torch.Tensor) and odd.float().tolist() == [1, 2, 3]


def test_what_has_its_type_is_not_copied(tmp_path: Path) -> None:
    """A view shares the file's pages: writing to it shows in a second view, and never in the file."""
    path = tiny_parts.write(tmp_path / "x.safetensors", {"a": torch.zeros(4), "b": torch.ones(4)})
    before, read = path.read_bytes(), mapped(path, read_header(path))
    first, second = read("a"), read("a")
    assert isinstance(first, torch.Tensor) and isinstance(second, torch.Tensor)
    first[0] = 7
    assert second[0] == 7 and path.read_bytes() == before
