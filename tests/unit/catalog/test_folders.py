"""The folders are known without being made, and tests can have their own."""

from dataclasses import replace
from pathlib import Path

import pytest

from catalog.folders import choose, chosen, default_folders
from tests.unit.catalog.builders import folders_in


def test_one_variable_moves_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORA_ALCHEMY_HOME", str(tmp_path / "home"))
    folders = default_folders()
    for folder in (folders.library, folders.outputs, folders.state, folders.database):
        assert folder.is_relative_to(tmp_path / "home")
    assert list(tmp_path.iterdir()) == []


def test_the_usual_places_are_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LORA_ALCHEMY_HOME", raising=False)
    folders = default_folders()
    assert folders.library.name == "loras"
    assert folders.outputs.name == "LoRA Alchemy"
    assert len({folders.library, folders.outputs, folders.state, folders.built_in}) == 4


def test_what_was_chosen_is_remembered_and_nothing_else_moves(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    assert chosen(folders) == folders
    mine = replace(folders, library=tmp_path / "my Ü “loras”", outputs=tmp_path / "clips")
    choose(mine)
    assert chosen(folders) == mine
    assert [file.name for file in folders.state.iterdir()] == ["folders.json"]


@pytest.mark.parametrize(
    "text", ["", "[1]", '{"library": 3}', '{"library": "loras"}', '{"outputs": "/a\\u0000b"}']
)
def test_what_makes_no_folder_was_not_chosen(tmp_path: Path, text: str) -> None:
    folders = folders_in(tmp_path)
    folders.state.mkdir(parents=True)
    (folders.state / "folders.json").write_text(text, "utf-8")
    assert chosen(folders) == folders
