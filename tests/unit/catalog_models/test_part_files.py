"""Where the parts of a model lie: ComfyUI's folders, diffusers folders, and any other."""

from pathlib import Path

import pytest

import resources
from catalog.model_proposal import propose, suggest
from catalog.part_files import MOST_DEPTH, look_at, spread


@pytest.fixture
def comfy(tmp_path: Path) -> Path:
    for name in (
        "models/diffusion_models/wan/high.safetensors",
        "models/unet/low.gguf",
        "models/vae/vae.safetensors",
        "models/clip/umt5.sft",
        "models/loras/lora.safetensors",
        "models/checkpoints/sdxl.safetensors",
        "models/vae/notes.txt",
        "models/vae/.hidden.safetensors",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize("start", ["", "models"])
def test_of_comfyui_only_the_folders_of_parts_are_looked_through(comfy: Path, start: str) -> None:
    found = [path.name for path in spread(comfy / start)]
    assert found == ["high.safetensors", "low.gguf", "vae.safetensors", "umt5.sft"]


def test_a_folder_in_a_circle_and_one_too_deep_end(comfy: Path) -> None:
    unet = comfy / "models" / "unet"
    (unet / "again").symlink_to(unet, target_is_directory=True)
    deep = unet.joinpath(*"abcdefg"[: MOST_DEPTH + 1])
    deep.mkdir(parents=True)
    (deep / "deep.gguf").touch()
    (deep.parent / "less.gguf").touch()
    assert [path.name for path in spread(unet)] == ["low.gguf", "less.gguf"]


def test_a_diffusers_folder_makes_its_model_again() -> None:
    found = [look_at(path) for path in spread(resources.path("demo"))]
    made = propose(found, suggest(found))
    assert made.problem == "" and made.parts is not None
    assert made.parts["low"].name == "transformer_2" and all(file.size > 0 for file in found)


def test_the_authors_own_folders_are_told_from_diffusers(tmp_path: Path) -> None:
    folder = tmp_path / "high_noise_model"
    folder.mkdir()
    (folder / "config.json").write_text('{"_class_name": "WanModel", "dim": 5120}', "utf-8")
    (folder / "diffusion_pytorch_model-00001-of-00006.safetensors").touch()
    assert list(spread(tmp_path)) == [folder] and "Diffusers" in look_at(folder).refusal


def test_one_part_as_a_folder_is_that_part(tmp_path: Path) -> None:
    for name in ("tokenizer", "vae"):
        folder = resources.path("demo") / name
        assert list(spread(folder)) == [folder]
    assert look_at(resources.path("demo") / "tokenizer").roles == ("tokenizer",)
    assert look_at(tmp_path).refusal and list(spread(tmp_path / "gone")) == [tmp_path / "gone"]
