"""Clips as files: whole or not at all, and with their recipe inside."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from catalog.recipe import Guidance, LoraUse, Recipe
from catalog.recipe_files import load
from engine import video
from engine.errors import EncodeFailed
from engine.messages import Frames
from engine.recording import Recording
from tests.decoded import decoded

RECIPE = Recipe(
    prompt="tab\there; a = b # \\ “ü”\nnew line",
    negative_prompt="",
    width=64, height=48, frames=9, fps=16, steps=3, seed=5,
    guidance=Guidance(4.0, 3.0), shift=3.0,
    loras=(LoraUse("neon.safetensors", 0.25, -1.0, (0.25, -1.0, -1.0), "ab" * 32),),
)  # fmt: skip


def clip(frames: int = 9, height: int = 48, width: int = 64) -> Frames:
    """A red square that moves right on blue."""
    pictures = np.zeros((frames, height, width, 3), np.uint8)
    pictures[..., 2] = 120
    for n in range(frames):
        pictures[n, 10:30, 3 * n : 3 * n + 20] = (220, 30, 30)
    return pictures


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif"])
def test_a_saved_clip_shows_the_same_pictures(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"clip{suffix}"
    video.save(file, clip(), 16, RECIPE)
    shown = decoded(file).astype(int)
    assert shown.shape == (9, 48, 64, 3)
    assert np.abs(shown - clip()).mean() < 8
    assert [p.name for p in tmp_path.iterdir()] == [file.name]


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_the_recipe_travels_inside(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"clip{suffix}"
    video.save(file, clip(), 16, RECIPE)
    assert load(file) == RECIPE


def test_paths_of_this_machine_do_not_travel(tmp_path: Path) -> None:
    lora = tmp_path / "mine" / "a.safetensors"
    use = replace(RECIPE.loras[0], file=str(lora))
    file = tmp_path / "out" / "clip.mp4"
    video.save(file, clip(), 16, replace(RECIPE, loras=(use,)))
    assert load(file).loras[0].file == "../mine/a.safetensors"
    assert str(tmp_path).encode() not in file.read_bytes()


def test_an_ending_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncodeFailed, match=r"\.mp4, \.webm, \.gif"):
        video.save(tmp_path / "clip.avi", clip(), 16, RECIPE)


def test_finished_runs_never_replace_a_clip(tmp_path: Path) -> None:
    recordings = [Recording(tmp_path / "clip.mp4", RECIPE, (9, 48, 64)) for _ in range(3)]
    for recording in recordings:
        recording.add(clip())
    made = [recording.finish() for recording in recordings]
    assert len({p.name for p in made}) == 3 == len(list(tmp_path.iterdir()))
    assert all(len(decoded(p)) == 9 for p in made)


def test_pieces_make_the_file_of_the_whole(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "clip.mp4", RECIPE, (9, 48, 64))
    for first, last in ((0, 1), (1, 5), (5, 9)):
        recording.add(clip()[first:last])
    video.save(tmp_path / "whole.mp4", clip(), 16, RECIPE)
    file = recording.finish()
    assert file.read_bytes() == (tmp_path / "whole.mp4").read_bytes() and load(file) == RECIPE


@pytest.mark.parametrize("pieces", [0, 1])
def test_an_abandoned_clip_leaves_nothing(tmp_path: Path, pieces: int) -> None:
    recording = Recording(tmp_path / "clip.mp4", RECIPE, (9, 48, 64))
    for _ in range(pieces):
        recording.add(clip()[:4])
    recording.abandon()
    assert not list(tmp_path.iterdir())


INTERRUPTED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from catalog.recipe import Recipe
from engine.recording import Recording

signal.signal(signal.SIGINT, lambda *_: None)
pictures = np.zeros((40, 48, 64, 3), np.uint8)
recording = Recording(Path(sys.argv[1]), Recipe(fps=16), (40, 48, 64))
recording.add(pictures[:20])
while not list(Path(sys.argv[1]).parent.iterdir()):  # until ffmpeg is at work
    pass
os.killpg(0, signal.SIGINT)
recording.add(pictures[20:])
recording.finish()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are a POSIX thing")
def test_ctrl_c_leaves_a_clip_that_is_being_saved_alone(tmp_path: Path) -> None:
    file = tmp_path / "clip.mp4"
    subprocess.run([sys.executable, "-c", INTERRUPTED, file], check=True, start_new_session=True)
    assert len(decoded(file)) == 40


def test_a_clip_that_lacks_pictures_is_not_kept(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "clip.mp4", RECIPE, (9, 48, 64))
    recording.add(clip()[:4])
    with pytest.raises(EncodeFailed, match="4 of 9"):
        recording.finish()
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_had_is_said_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    recording = Recording(tmp_path / "taken" / "clip.mp4", RECIPE, (9, 48, 64))
    recording.add(clip())
    with pytest.raises(EncodeFailed, match="cannot be written"):
        recording.finish()


@pytest.mark.parametrize("prompt", ["", "-x; rm -rf ~", "../../etc/passwd", "a" * 500, "%d $(id) \n", "球"])
def test_a_prompt_makes_a_safe_name(prompt: str) -> None:
    stem = video.file_stem(replace(RECIPE, prompt=prompt))
    assert stem and len(stem) < 80 and not stem.startswith("-")
    assert set(stem) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_a_failed_export_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "clip.mp4"
    file.write_bytes(b"precious")
    with pytest.raises(EncodeFailed):
        video.save(file, clip()[:, :0], 16, RECIPE)
    assert file.read_bytes() == b"precious"
    assert [p.name for p in tmp_path.iterdir()] == ["clip.mp4"]


@pytest.mark.skipif(sys.platform == "win32", reason="file-size limits are a POSIX thing")
@pytest.mark.parametrize("limit", [100, 20_000, 60_000])
def test_a_full_disk_is_an_error_not_a_broken_clip(tmp_path: Path, limit: int) -> None:
    import resource

    noise = np.random.default_rng(0).integers(0, 255, (16, 128, 128, 3), np.uint8)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(EncodeFailed):
            video.save(tmp_path / "clip.mp4", noise, 16, RECIPE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif"])
@pytest.mark.parametrize("count", [1, 3])
def test_a_picture_that_does_not_change_keeps_its_frames(tmp_path: Path, suffix: str, count: int) -> None:
    file = tmp_path / f"clip{suffix}"
    video.save(file, np.full((count, 48, 64, 3), 90, np.uint8), 16, RECIPE)
    assert len(decoded(file)) >= count
