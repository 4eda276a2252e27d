"""A model of single files renders what the same model renders from a diffusers folder."""

from pathlib import Path

import numpy as np
import pytest
import torch

from catalog.models import find_model
from catalog.recipe import Guidance, Recipe
from engine.errors import ModelFailed
from engine.inference.checkpoints.assembled import load
from engine.inference.session import WanSession
from engine.live import LiveControls
from engine.messages import Event, StepFinished
from engine.worker import Clip, Generate
from tests.unit.inference.checkpoints import tiny_parts
from tests.unit.inference.checkpoints.conftest import describe

RECIPE = Recipe(
    prompt="a red ball moving right", negative_prompt="blue", width=32, height=32, frames=5, fps=16,
    steps=6, seed=3, guidance=Guidance(4.0, 3.0), shift=5.0,
)  # fmt: skip


def render(model: Path) -> tuple[Clip, list[Event]]:
    session, events = WanSession("cpu"), list[Event]()
    session.load(str(model))
    return session.run(Generate(1, RECIPE, LiveControls(None)), events.append), events


def with_part(files: Path, folder: Path, **parts: str) -> Path:
    """The description of the tiny model, with some parts exchanged."""
    given = {
        "high": "tiny_high_noise.safetensors", "low": "tiny_low_noise.safetensors", "vae": "vae.safetensors",
        "text_encoder": "umt5.safetensors", "tokenizer": "tokenizer",
    }  # fmt: skip
    named = {part: name if Path(name).is_absolute() else str(files / name) for part, name in given.items()}
    return describe(folder / "other.wanmodel.json", named | parts)


def test_single_files_render_what_the_folder_renders(folder: Path, files: Path) -> None:
    wanted, _ = render(folder)
    found, events = render(files / "tiny.wanmodel.json")
    assert wanted.latents is not None and found.latents is not None
    assert np.array_equal(found.latents, wanted.latents) and np.array_equal(found.frames, wanted.frames)
    assert {e.expert for e in events if isinstance(e, StepFinished)} == {"high", "low"}


def test_parts_may_be_folders_of_diffusers(folder: Path, files: Path, tmp_path: Path) -> None:
    wanted, _ = render(folder)
    parts = {"high": "transformer", "low": "transformer_2", "vae": "vae", "text_encoder": "text_encoder"}
    mixed = with_part(files, tmp_path, **{part: str(folder / name) for part, name in parts.items()})
    found, _ = render(mixed)
    assert wanted.latents is not None and found.latents is not None
    assert np.array_equal(found.latents, wanted.latents)


def test_a_tokenizer_file_is_enough(files: Path, tmp_path: Path) -> None:
    wanted, _ = render(files / "tiny.wanmodel.json")
    found, _ = render(with_part(files, tmp_path, tokenizer=str(files / "tokenizer" / "tokenizer.json")))
    assert wanted.latents is not None and found.latents is not None
    assert np.array_equal(found.latents, wanted.latents)


def test_8_bit_experts_render_what_their_values_are_worth(files: Path, tmp_path: Path) -> None:
    stored, worth = dict[str, str](), dict[str, str]()
    for seed, part in ((1, "high"), (2, "low")):
        tensors = tiny_parts.original(tiny_parts.transformer(seed=seed, text_dim=64))
        both = tiny_parts.scaled(tensors)
        for name, state, into in zip(("fp8", "whole"), both, (stored, worth), strict=True):
            into[part] = str(tiny_parts.write(tmp_path / f"{name}_{part}_noise.safetensors", state))
    wanted, _ = render(with_part(files, tmp_path, **worth))
    found, _ = render(with_part(files, tmp_path, **stored))
    assert wanted.latents is not None and found.latents is not None
    assert np.array_equal(found.latents, wanted.latents)


def test_what_the_model_accepts_is_derived(files: Path) -> None:
    info = find_model(str(files / "tiny.wanmodel.json"))
    assert info.title == "Tiny" and info.name == "tiny" and info.experts == ("high", "low")
    assert (info.width_inner, info.layers, info.in_channels) == (256, 2, 16)
    assert (info.size_multiple, info.frame_stride, info.boundary) == (16, 4, 0.875)
    assert find_model("tiny.wanmodel.json", files).path == info.path


def test_a_part_that_changed_since_is_named(files: Path, tmp_path: Path) -> None:
    info = find_model(str(with_part(files, tmp_path)))
    (tmp_path / "short.safetensors").write_bytes((files / "vae.safetensors").read_bytes()[:-1])
    with_part(files, tmp_path, vae=str(tmp_path / "short.safetensors"))
    with pytest.raises(ModelFailed, match=r"short\.safetensors .*incomplete"):
        load(info, torch.device("cpu"))
