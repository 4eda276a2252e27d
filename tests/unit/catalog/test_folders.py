"""The folders are known without being made, and tests can have their own."""

from pathlib import Path

import pytest

from catalog.folders import default_folders


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
