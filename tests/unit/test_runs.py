"""Folders of unfinished runs: what is ours is found, whole and newest first; nothing else is touched."""

import os
from pathlib import Path

import numpy as np
import pytest

from catalog.recipe import LoraUse, Recipe
from engine import points, runs
from engine.errors import CannotContinue
from engine.points import SavedPoint

RECIPE = Recipe(prompt="a ball", steps=6, seed=1, loras=(LoraUse("/a.safetensors", 0.5, 0.25),))


def point(step: int) -> SavedPoint:
    return SavedPoint(step, {"latents": np.full((2, 3), step, np.float32)}, {"step": step})


def written(root: Path, name: str, *steps: int, keep: tuple[int, ...] = ()) -> Path:
    for step in steps:
        points.write(root / name, RECIPE, point(step), keep)
    return root / name


def test_what_is_written_is_found(tmp_path: Path) -> None:
    folder = written(tmp_path, "run", 1, 2, 3)
    (found,) = runs.unfinished(tmp_path)
    assert (found.folder, found.recipe, found.step, found.steps) == (folder, RECIPE, 3, 6)
    saved = points.load_point(found)
    assert saved.values == {"step": 3} and np.array_equal(saved.tensors["latents"], np.full((2, 3), 3.0))


def test_only_the_last_point_and_the_kept_ones_stay(tmp_path: Path) -> None:
    folder = written(tmp_path, "run", 1, 2, 3, 4, keep=(2,))
    assert {f.name for f in folder.iterdir()} == {
        "recipe.json", "step-0002.safetensors", "step-0004.safetensors",
    }  # fmt: skip


def test_the_newest_comes_first_and_the_oldest_goes(tmp_path: Path) -> None:
    for number in range(runs.MOST_RUNS + 2):
        folder = written(tmp_path, f"run {number}", 1)
        os.utime(folder / "step-0001.safetensors", (number, number))
    runs.prune(tmp_path)
    names = [run.folder.name for run in runs.unfinished(tmp_path)]
    assert names == [f"run {number}" for number in range(runs.MOST_RUNS + 1, 1, -1)]


def test_what_a_run_left_that_died_at_its_first_step_goes_after_a_day(tmp_path: Path) -> None:
    old, young, mine, whole = (runs.new_folder(tmp_path).name for _ in range(4))
    for name in (old, young, mine):
        (tmp_path / name).mkdir()
        (tmp_path / name / "recipe.json").write_text("{}")
        (tmp_path / name / "0123.part").write_bytes(b"half")
    (tmp_path / mine / "notes.txt").write_text("mine")
    (written(tmp_path, whole, 1) / "recipe.json").write_text("of a later version")
    (tmp_path / "other").mkdir()
    for name in (old, mine, whole, "other"):
        os.utime(tmp_path / name, (0, 0))
    runs.prune(tmp_path)
    assert {folder.name for folder in tmp_path.iterdir()} == {young, mine, whole, "other"}
    assert [file.name for file in (tmp_path / mine).iterdir()] == ["notes.txt"]


def test_a_torn_point_is_passed_over(tmp_path: Path) -> None:
    folder = written(tmp_path, "run", 2, 4, keep=(2,))
    last = folder / "step-0004.safetensors"
    for size in (0, 5, 40, last.stat().st_size - 1):
        last.write_bytes(last.read_bytes()[:size])
        found = runs.read(folder)
        assert found is not None and found.step == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "recipe.json").unlink(),
        lambda folder: (folder / "recipe.json").write_text("{"),
        lambda folder: (folder / "recipe.json").write_text('{"version": 1}'),
        lambda folder: (folder / "step-0003.safetensors").unlink(),
        lambda folder: (folder / "step-0003.safetensors").write_bytes(b"PK\x03\x04"),
    ],
    ids=["no recipe", "half a recipe", "no steps in the recipe", "no point", "a foreign point"],
)
def test_what_cannot_be_continued_is_not_offered(tmp_path: Path, damage: object) -> None:
    folder = written(tmp_path, "run", 3)
    damage(folder)  # type: ignore[operator]
    before = sorted(folder.iterdir())
    assert runs.read(folder) is None and runs.unfinished(tmp_path) == ()
    assert sorted(folder.iterdir()) == before


def test_other_things_are_left_alone(tmp_path: Path) -> None:
    folder = written(tmp_path, "run", 3)
    (folder / "notes.txt").write_text("mine")
    (tmp_path / "a file").write_text("mine")
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a folder" / "photo.jpg").write_bytes(b"mine")
    assert [run.folder for run in runs.unfinished(tmp_path)] == [folder]
    runs.remove(folder)
    runs.remove(tmp_path / "a folder")
    assert [file.name for file in folder.iterdir()] == ["notes.txt"]
    assert (tmp_path / "a folder" / "photo.jpg").exists()


def test_a_folder_that_is_not_there_has_no_runs(tmp_path: Path) -> None:
    assert runs.unfinished(tmp_path / "nothing") == ()
    runs.remove(tmp_path / "nothing")
    runs.prune(tmp_path / "nothing")


def test_two_cannot_continue_one_run(tmp_path: Path) -> None:
    folder = written(tmp_path, "run", 3)
    runs.move(folder, tmp_path / "mine")
    with pytest.raises(CannotContinue, match="no longer there"):
        runs.move(folder, tmp_path / "yours")
    assert [run.folder.name for run in runs.unfinished(tmp_path)] == ["mine"]


def test_a_point_that_goes_bad_between_listing_and_reading_is_an_error(tmp_path: Path) -> None:
    folder = written(tmp_path, "run", 3)
    (found,) = runs.unfinished(tmp_path)
    (folder / "step-0003.safetensors").write_bytes(b"")
    with pytest.raises(CannotContinue, match="a ball"):
        points.load_point(found)


def test_a_failed_write_keeps_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = written(tmp_path, "run", 3)

    def full(path: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="space"):
        points.write(folder, RECIPE, point(4))
    (found,) = runs.unfinished(tmp_path)
    assert found.step == 3 and len(list(folder.iterdir())) == 2


def test_new_folders_differ(tmp_path: Path) -> None:
    assert len({runs.new_folder(tmp_path) for _ in range(20)}) == 20
