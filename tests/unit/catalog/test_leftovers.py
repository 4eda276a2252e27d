"""What crashes leave goes after a day; nothing else ever does."""

import os
import time
import uuid
from pathlib import Path

from catalog.leftovers import sweep


def test_only_old_files_of_ours_go(tmp_path: Path) -> None:
    grid = tmp_path / "grid"
    grid.mkdir()
    ours, deeper = (place / f".{uuid.uuid4().hex}.part" for place in (tmp_path, grid))
    young = tmp_path / f".{uuid.uuid4().hex}.part"
    theirs = [tmp_path / name for name in ("film.part", ".film.mp4.0123456789ab.part", "clip.mp4")]
    for file in (ours, deeper, young, *theirs):
        file.write_bytes(b"half")
    for file in (ours, deeper, *theirs):
        os.utime(file, (0, time.time() - 3 * 24 * 3600))
    sweep(tmp_path)
    assert sorted(p for p in tmp_path.rglob("*") if p.is_file()) == sorted([young, *theirs])


def test_a_folder_that_is_not_there_is_no_failure(tmp_path: Path) -> None:
    sweep(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
