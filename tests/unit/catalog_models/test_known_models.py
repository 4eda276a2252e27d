"""What is on this computer: saved models, diffusers folders, and what other programs got from the Hub."""

import json
from pathlib import Path

import pytest

import resources
from catalog import known_models as known
from catalog.folders import Folders
from catalog.known_models import known_models
from catalog.models import find_model


def pipeline(folder: Path, kind: str = "WanPipeline") -> Path:
    folder.mkdir(parents=True)
    (folder / "model_index.json").write_text(json.dumps({"_class_name": kind}), "utf-8")
    return folder


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    monkeypatch.setattr(known, "hub_cache", lambda: tmp_path / "hub")
    state = tmp_path / "state"
    return Folders(tmp_path / "l", tmp_path / "b", tmp_path / "o", state, downloads=tmp_path / "downloads")


def test_without_anything_there_is_the_demo(folders: Folders) -> None:
    assert known_models(folders) == ("demo",)


def test_everything_that_is_a_wan_is_known_once(folders: Folders, tmp_path: Path) -> None:
    saved = folders.models / "mine.wanmodel.json"
    saved.parent.mkdir(parents=True)
    value = {"format": 1, "model": "wan2.1-t2v-14b", "parts": {"high": "gone.safetensors"}}
    saved.write_text(json.dumps(value), "utf-8")
    assert folders.downloads
    got = pipeline(folders.downloads / "Wan2.1-T2V-1.3B-Diffusers")
    pipeline(folders.downloads / "stable-diffusion", "StableDiffusionPipeline")
    (folders.downloads / "broken").mkdir()
    (folders.downloads / "broken" / "model_index.json").write_text("[", "utf-8")
    cached = tmp_path / "hub" / "models--Wan-AI--Wan2.2-TI2V-5B-Diffusers"
    pipeline(cached / "snapshots" / "abc")
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("abc", "utf-8")
    assert known_models(folders) == ("demo", str(saved), str(got), str(cached))


def test_what_is_known_can_be_found(folders: Folders) -> None:
    assert folders.downloads
    folders.downloads.mkdir()
    (folders.downloads / "link").symlink_to(resources.path("demo"))
    name = known_models(folders)[1]
    assert find_model(name).layers == find_model("demo").layers
