"""Where a headless render puts its results: known, free and writable before anything is rendered."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from engine.render_targets import TargetTaken, job, save_latents


def places(tmp_path: Path, *names: str) -> list[str]:
    """The clips of these recipes in one folder."""
    sources = [tmp_path / name for name in names]
    return [job(i, sources, tmp_path / "out", None).out.name for i in range(len(sources))]


def test_every_recipe_has_a_clip_of_its_own(tmp_path: Path) -> None:
    assert places(tmp_path, "a.json", "x/a.json", "b.json") == ["a.mp4", "a-2.mp4", "b.mp4"]
    assert places(tmp_path, "a.json", "x/A.json", "a-2.json", "a.json") == [
        "a.mp4",
        "A-3.mp4",
        "a-2.mp4",
        "a-4.mp4",
    ]


def test_one_file_cannot_hold_several_clips(tmp_path: Path) -> None:
    sources = [tmp_path / "a.json", tmp_path / "b.json"]
    with pytest.raises(TargetTaken, match="several recipes need a folder"):
        job(0, sources, tmp_path / "clip.mp4", None)
    (tmp_path / "clips.mp4").mkdir()
    assert job(1, sources, tmp_path / "clips.mp4", None).out == tmp_path / "clips.mp4" / "b.mp4"


def test_a_name_without_an_ending_is_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    found = job(0, [tmp_path / "a.json"], folder, folder)
    assert (found.out, found.latents) == (folder / "a.mp4", folder / "a.safetensors")


@pytest.mark.parametrize(
    ("out", "latents", "said"),
    [
        ("clip.avi", None, "clip.avi ends in none of .mp4, .webm, .gif."),
        ("clip.mp4", "clip.mp4", "clip.mp4 does not end in .safetensors."),
        ("there.mp4", None, "there.mp4 exists already."),
        ("clip.mp4", "there.safetensors", "there.safetensors exists already."),
        ("there.mp4/clip.mp4", None, "is a file, not a folder."),
        ("file", None, "file is a file, not a folder."),
        ("x" * 5000 + ".mp4", None, "cannot be written"),
    ],
)
def test_a_place_that_cannot_be_is_refused(tmp_path: Path, out: str, latents: str | None, said: str) -> None:
    for name in ("there.mp4", "there.safetensors", "file"):
        (tmp_path / name).write_bytes(b"precious")
    with pytest.raises(TargetTaken, match=said):
        job(0, [tmp_path / "a.json"], tmp_path / out, latents and tmp_path / latents)


def test_latents_are_saved_whole_and_never_onto_a_file(tmp_path: Path) -> None:
    latents, file = np.ones((1, 2, 1, 2, 2), np.float32), tmp_path / "new" / "latents.safetensors"
    assert save_latents(latents, file) == file
    other = save_latents(latents * 2, file)
    assert np.array_equal(load_file(file)["latents"], latents)
    assert np.array_equal(load_file(other)["latents"], latents * 2)
    assert sorted(file.parent.iterdir()) == sorted([file, other]), "nothing else is left"
