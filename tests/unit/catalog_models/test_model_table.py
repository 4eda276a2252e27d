"""The table of models: whole, consistent, and honest about what can be used."""

import json
from dataclasses import fields

import pytest

import resources
from catalog.inputs import Inputs
from catalog.model_inputs import FIELDS, wanted
from catalog.model_table import OTHER, Architecture, ModelEntry, entries, entry, matching
from catalog.models import defaults_of
from tests.unit.catalog_models.real_shapes import CONFIGS

UNITS = {"wan2.1": 16, "wan2.2": 32}


def test_every_model_is_there_once() -> None:
    ids = [row.id for row in entries()]
    assert set(ids) == set(CONFIGS) | {"demo", OTHER} and len(ids) == len(set(ids))
    assert ids[-1] == OTHER and len({row.title for row in entries()}) == len(ids)


@pytest.mark.parametrize("row", entries(), ids=lambda row: row.id)
def test_settings_are_valid_for_the_model(row: object) -> None:
    found = entry(row.id)  # type: ignore[attr-defined]
    assert found is not None
    settings = defaults_of(found, lambda: 1.0)
    for width, height in (*settings.sizes, (settings.width, settings.height)):
        assert width % UNITS[found.vae] == 0 == height % UNITS[found.vae]
    assert (settings.width, settings.height) in (settings.sizes or [(settings.width, settings.height)])
    assert settings.frames % 4 == 1 and settings.frames <= settings.most_frames
    assert settings.steps > 0 and settings.fps > 0 and settings.shift > 0
    assert (found.boundary is not None) or found.experts == 1
    assert found.folder.count("/") in (0, 1) and found.files.count("/") in (0, 1)


@pytest.mark.parametrize(
    ("model", "shift", "steps", "high", "low", "boundary", "fps", "frames"),
    [
        ("wan2.1-t2v-1.3b", 5, 50, 5, 5, None, 16, 81),
        ("wan2.1-t2v-14b", 5, 50, 5, 5, None, 16, 81),
        ("wan2.1-i2v-14b-480p", 3, 40, 5, 5, None, 16, 81),
        ("wan2.1-i2v-14b-720p", 5, 40, 5, 5, None, 16, 81),
        ("wan2.1-phantom-1.3b", 5, 50, 7.5, 7.5, None, 16, 81),
        ("wan2.1-phantom-14b", 5, 50, 7.5, 7.5, None, 24, 121),
        ("wan2.1-flf2v-14b", 16, 50, 5, 5, None, 16, 81),
        ("wan2.2-t2v-a14b", 12, 40, 4, 3, 0.875, 16, 81),
        ("wan2.2-i2v-a14b", 5, 40, 3.5, 3.5, 0.9, 16, 81),
        ("wan2.2-ti2v-5b", 5, 50, 5, 5, None, 24, 121),
    ],
)
def test_sampling_is_that_of_the_authors(
    model: str,
    shift: float,
    steps: int,
    high: float,
    low: float,
    boundary: float | None,
    fps: int,
    frames: int,
) -> None:
    row = entry(model)
    assert row is not None and row.boundary == boundary
    found = defaults_of(row, lambda: 1.0)
    assert (found.shift, found.steps, found.guidance_high, found.guidance_low) == (shift, steps, high, low)
    assert (found.fps, found.frames) == (fps, frames)


def test_what_a_model_is_given_is_known() -> None:
    for row in entries():
        assert "text" in row.inputs and {*row.inputs, *row.optional_inputs} <= {"text", *FIELDS}
    assert set(FIELDS.values()) < {field.name for field in fields(Inputs)}


@pytest.mark.parametrize(
    "row",
    [row for row in entries() if row.architecture and "phantom" not in row.id],  # whose tensors tell nothing
    ids=lambda row: row.id,
)
def test_the_architecture_tells_the_same_of_a_model_that_no_row_knows(row: ModelEntry) -> None:
    other = entry(OTHER)
    assert other is not None and row.architecture is not None
    expand = row.expand_timesteps
    assert wanted(other, row.architecture, expand) == wanted(row, row.architecture, expand)


def test_channels_of_an_unknown_kind_are_not_guessed_at() -> None:
    other = entry(OTHER)
    assert other is not None
    assert wanted(other, Architecture(5120, 40, 13824, 48, 16, True), False) is None  # Fun Control
    assert wanted(other, Architecture(5120, 40, 13824, 32, 16, True), False) is None  # Fun Camera


def test_a_name_chooses_among_models_alike() -> None:
    both = Architecture(5120, 40, 13824, 16, 16)
    assert matching(both, "wan2.1_t2v_14B_fp16.safetensors")[0].id == "wan2.1-t2v-14b"
    assert matching(both, "wan2.2_t2v_high_noise_14B_fp8_scaled.safetensors")[0].id == "wan2.2-t2v-a14b"
    assert matching(both, "Phantom-Wan-14B_fp16.safetensors")[0].id == "wan2.1-phantom-14b"
    assert matching(both, "anything.safetensors")[0].id == "wan2.1-t2v-14b"
    assert {row.id for row in matching(both)} == {"wan2.1-t2v-14b", "wan2.1-phantom-14b", "wan2.2-t2v-a14b"}


def test_the_demo_has_the_size_of_its_row() -> None:
    config = json.loads((resources.path("demo") / "transformer" / "config.json").read_text("utf-8"))
    row = entry("demo")
    assert row is not None and row.architecture is not None
    assert row.architecture.width == config["num_attention_heads"] * config["attention_head_dim"]
    assert row.architecture.layers == config["num_layers"]
    assert row.head_width == config["attention_head_dim"]
