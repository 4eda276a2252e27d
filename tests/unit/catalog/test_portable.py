"""Recipes that travel name a library's files so that whoever reads them looks where the user keeps them."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from catalog.folders import HOME_VARIABLE, Folders, choose, chosen, default_folders
from catalog.portable import portable
from catalog.recipe import LoraUse, Recipe, dumps
from catalog.recipe_files import load, locate
from tests.unit.catalog.builders import wan_lora, write


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    """Those of a user who keeps the library on another disk."""
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    choose(replace(default_folders(), library=tmp_path / "disk" / "my loras"))
    return chosen(default_folders())


def test_a_file_of_the_chosen_library_goes_by_its_name_in_it_and_is_found_there(
    folders: Folders, tmp_path: Path
) -> None:
    file = write(folders.library / "styles" / "neon.safetensors", wan_lora())
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    (tmp_path / "clips").mkdir()
    recipe = portable(Recipe(loras=(LoraUse(str(file), sha256=sha256),)), tmp_path / "clips")
    assert recipe.loras[0].file == "styles/neon.safetensors"
    path = tmp_path / "clips" / "recipe.json"
    path.write_text(dumps(recipe), "utf-8")
    assert str(tmp_path) not in path.read_text("utf-8")
    (use,) = load(path).loras
    assert locate(use, path, folders) == file
    moved = (tmp_path / "disk").rename(tmp_path / "another disk")
    folders = replace(folders, library=moved / "my loras")
    assert locate(use, path, folders) == moved / "my loras" / "styles" / "neon.safetensors"


def test_a_library_behind_a_link_is_the_same_library(folders: Folders, tmp_path: Path) -> None:
    file = write(tmp_path / "real" / "neon.safetensors", wan_lora())
    folders.library.parent.mkdir(parents=True)
    try:
        os.symlink(tmp_path / "real", folders.library)
    except OSError:
        pytest.skip("links cannot be made here")
    assert portable(Recipe(loras=(LoraUse(str(file)),)), tmp_path).loras[0].file == "neon.safetensors"
