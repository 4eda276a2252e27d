"""The demo model in single files as somebody might have them, and a folder of the user's own."""

import os
import shutil
from pathlib import Path

import pytest

import resources
from catalog.folders import HOME_VARIABLE
from tests.unit.catalog.builders import wan_lora, write

WEIGHTS = "diffusion_pytorch_model.safetensors"
NAMES = {
    "tiny_high_noise.safetensors": f"transformer/{WEIGHTS}",
    "tiny_low_noise.safetensors": f"transformer_2/{WEIGHTS}",
    "tiny_vae.safetensors": f"vae/{WEIGHTS}",
    "tiny_umt5.safetensors": "text_encoder/model.safetensors",
    "tokenizer.json": "tokenizer/tokenizer.json",
}


@pytest.fixture
def parts(tmp_path: Path) -> dict[str, Path]:
    """Every part by a short name."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    for name, source in NAMES.items():
        shutil.copy(resources.path("demo") / source, folder / name)
    short = ("high", "low", "vae", "text", "tokenizer")
    return {key: folder / name for key, name in zip(short, NAMES, strict=True)}


@pytest.fixture
def lora(tmp_path: Path) -> Path:
    return write(tmp_path / "downloads" / "style.safetensors", wan_lora())


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where saved models are looked for."""
    monkeypatch.setenv(HOME_VARIABLE, os.fspath(tmp_path / "home"))
    return tmp_path / "home" / "state" / "models"


@pytest.fixture
def comfy(tmp_path: Path, parts: dict[str, Path]) -> Path:
    """ComfyUI's folders with these parts, which have no tokenizer, and with things that are none."""
    root = tmp_path / "ComfyUI"
    for name, folder in (("high", "diffusion_models/wan"), ("low", "unet"), ("vae", "vae"), ("text", "clip")):
        place = root / "models" / folder
        place.mkdir(parents=True)
        (place / parts[name].name).symlink_to(parts[name])
    write(root / "models" / "vae" / "no vae.safetensors", wan_lora())
    write(root / "models" / "loras" / "style.safetensors", wan_lora())
    return root
