"""Phantom has T2V's tensors: its name tells that it must be given reference images."""

import json
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import BadRecipe
from catalog.inputs import Inputs, Picture
from catalog.models import ModelInfo, find_model
from catalog.recipe import Guidance, Recipe
from catalog.recipe_files import complete
from tests.unit.catalog_models.real_shapes import SMALL


def opened(folder: Path, name: str, **changes: Any) -> ModelInfo:
    """A diffusers folder of that name, with T2V 1.3B's configuration or another."""
    config = SMALL | {"attention_head_dim": 128, "in_channels": 16, "patch_size": [1, 2, 2]} | changes
    written = {
        "model_index.json": {"_class_name": "WanPipeline"},
        "transformer/config.json": config,
        "vae/config.json": {},
        "scheduler/scheduler_config.json": {"flow_shift": 3.0},
    }
    for path, value in written.items():
        (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / name / path).write_text(json.dumps(value), "utf-8")
    return find_model(str(folder / name))


def with_subjects(count: int) -> Recipe:
    return Recipe(inputs=Inputs(reference_images=(Picture("cat.png"),) * count))


def test_a_folder_of_that_name_takes_one_to_four_references(tmp_path: Path) -> None:
    model = opened(tmp_path, "Phantom-Wan-1.3B-diffusers")
    assert model.entry == "wan2.1-phantom-1.3b" and model.needs == model.takes == {"reference_images"}
    for count in range(1, 5):
        whole = complete(with_subjects(count), model)
        assert whole.guidance == Guidance(7.5, 7.5) and whole.shift == 5
    with pytest.raises(BadRecipe, match="needs reference images"):
        complete(Recipe(), model)
    with pytest.raises(BadRecipe, match="at most 4 reference images"):
        complete(with_subjects(5), model)


def test_a_folder_of_another_name_makes_clips_of_text_alone(tmp_path: Path) -> None:
    model = opened(tmp_path, "Wan2.1-T2V-1.3B-Diffusers")
    assert model.entry == "wan2.1-t2v-1.3b" and not model.takes
    complete(Recipe(), model)
    with pytest.raises(BadRecipe, match="takes no reference images"):
        complete(with_subjects(1), model)


def test_the_name_tells_of_sizes_that_no_row_knows_too(tmp_path: Path) -> None:
    assert opened(tmp_path, "my-phantom", num_layers=24).needs == {"reference_images"}
    assert opened(tmp_path, "my-phantom-i2v", num_layers=24, in_channels=36, out_channels=16).needs == {
        "start_image"
    }
