"""The layers of a model are the same however it is stored, and a part that is wrong is named."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from catalog.errors import ModelNotFound
from catalog.inventory import inventory
from catalog.model_layers import layers_of
from catalog.models import ModelInfo, find_model
from tests.unit.catalog import builders

CONFIG = {"num_attention_heads": 2, "attention_head_dim": 128, "num_layers": 2, "ffn_dim": 512}
LAYERS = inventory(CONFIG)


def model_of(folder: Path, **parts: str) -> ModelInfo:
    """A model of single files, as far as its transformers go."""
    path = folder / "mine.wanmodel.json"
    path.write_text(json.dumps({"format": 1, "model": "wan2.1-t2v-1.3b", "parts": parts}), "utf-8")
    return replace(find_model("demo"), path=path)


def test_a_folder_has_the_layers_of_its_configs() -> None:
    demo = find_model("demo")
    found = layers_of(demo)
    assert tuple(found) == demo.experts
    assert found["high"]["blocks.0.attn1.to_q.weight"] == (demo.width_inner, demo.width_inner)


def test_single_files_have_the_layers_that_they_hold(tmp_path: Path) -> None:
    builders.write(tmp_path / "high.safetensors", LAYERS)
    (tmp_path / "low").mkdir()
    (tmp_path / "low" / "config.json").write_text(json.dumps(CONFIG))
    found = layers_of(model_of(tmp_path, high="high.safetensors", low="low"))
    assert found == {"high": LAYERS, "low": LAYERS}


def test_a_part_that_is_no_transformer_is_named(tmp_path: Path) -> None:
    builders.write(tmp_path / "lora.safetensors")
    with pytest.raises(ModelNotFound, match="lora.safetensors"):
        layers_of(model_of(tmp_path, high="lora.safetensors"))
    with pytest.raises(ModelNotFound, match="gone.safetensors"):
        layers_of(model_of(tmp_path, high="gone.safetensors"))
