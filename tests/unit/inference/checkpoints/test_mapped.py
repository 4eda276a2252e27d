"""Mapped files: their pages can be let go, and nothing is lost by it."""

import gc
import sys
from pathlib import Path

import pytest
import torch

from engine.inference.checkpoints import mapped
from engine.inference.checkpoints.mapped import announce, forget, map_file

MIB = 1 << 20


def resident(kind: str = "RssFile") -> int:
    """Bytes of files' pages that this process has in memory."""
    text = Path("/proc/self/status").read_text("ascii")
    return int(text.split(f"{kind}:")[1].split()[0]) * 1024


@pytest.fixture
def big(tmp_path: Path) -> Path:
    """A file of 64 MiB."""
    file = tmp_path / "big"
    file.write_bytes(bytes(range(256)) * (MIB // 4))
    return file


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what of a file is in memory")
def test_pages_leave_memory_and_come_back(big: Path) -> None:
    data = map_file(big)
    before, total = resident(), int(data.sum())
    assert resident() - before > 60 * MIB
    forget([data[: 32 * MIB]])
    assert 28 * MIB < resident() - before < 36 * MIB
    forget([data])
    assert resident() - before < 2 * MIB
    assert int(data.sum()) == total


def test_what_is_no_file_is_left_alone(big: Path) -> None:
    kept = map_file(big)
    own = torch.arange(MIB)
    forget([own, own.to("meta"), kept[5:9]])
    announce([own, kept])
    assert torch.equal(own, torch.arange(MIB)) and kept[5:9].tolist() == [5, 6, 7, 8]


def test_a_file_is_unmapped_when_nothing_views_it(big: Path) -> None:
    gc.collect()  # sessions of tests before may still hold files of theirs
    known = len(mapped._MAPPINGS)
    view = map_file(big)[7:9]
    gc.collect()
    assert len(mapped._MAPPINGS) == known + 1 and view.tolist() == [7, 8]
    del view
    gc.collect()
    assert len(mapped._MAPPINGS) == known
