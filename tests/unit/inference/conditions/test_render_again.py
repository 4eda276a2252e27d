"""`render` with pictures: a clip's own recipe makes it again, wherever the two have moved."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from catalog.folders import HOME_VARIABLE
from catalog.recipe_files import load
from main import main
from tests.tiny_seeing import picture
from tests.unit.inference.conditions.test_equal_to_diffusers import Folders


def test_a_clip_made_from_a_picture_renders_again_equal(
    folder_of: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    model = shutil.copytree(folder_of("i2v 2.2"), tmp_path / "work" / "model")
    start = picture(tmp_path / "work", 3, (48, 64))
    values = {
        "version": 1, "model": str(model), "prompt": "a red ball", "width": 32, "height": 32, "frames": 5, "fps": 8,
        "steps": 3, "seed": 7, "guidance": {"high": 4.0, "low": 1.0},
        "inputs": {"start_image": {"file": start.name, "fit": "pad"}},
    }  # fmt: skip
    recipe = tmp_path / "work" / "recipe.json"
    recipe.write_text(json.dumps(values), "utf-8")
    clip, first = tmp_path / "work" / "clip.mp4", tmp_path / "first.safetensors"
    assert main(["render", str(recipe), "--out", str(clip), "--latents", str(first)]) == 0
    (seen,) = load(clip).inputs.pictures
    assert seen.file == start.name and len(seen.sha256) == 64 and seen.fit == "pad"

    moved = (tmp_path / "work").rename(tmp_path / "moved")
    again, second = tmp_path / "again.mp4", tmp_path / "second.safetensors"
    assert main(["render", str(moved / "clip.mp4"), "--out", str(again), "--latents", str(second)]) == 0
    assert np.array_equal(load_file(first)["latents"], load_file(second)["latents"])


def test_a_recipe_that_lacks_its_picture_fails_before_anything_is_loaded(
    folder_of: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    values = {"version": 1, "model": str(folder_of("i2v 2.2")), "prompt": "a red ball"}
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps(values), "utf-8")
    assert main(["render", str(recipe), "--out", str(tmp_path / "clip.mp4")]) == 2
    assert "needs a start image" in capsys.readouterr().err
    recipe.write_text(json.dumps(values | {"inputs": {"start_image": {"file": "gone.png"}}}), "utf-8")
    assert main(["render", str(recipe), "--out", str(tmp_path / "clip.mp4")]) == 2
    assert "“gone.png” is not there" in capsys.readouterr().err
