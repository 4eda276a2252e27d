"""What a download tool wrote beside a LoRA is read as its claim, and a bad one says nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from catalog.sidecar import base_model


@pytest.mark.parametrize(
    ("suffix", "content", "said"),
    [
        (".metadata.json", {"base_model": "Wan Video 14B t2v"}, "Wan Video 14B t2v"),
        (".metadata.json", {"base_model": "Unknown", "civitai": {"baseModel": "Pony"}}, "Pony"),
        (".civitai.info", {"baseModel": "Wan Video 2.2 I2V-A14B", "model": {}}, "Wan Video 2.2 I2V-A14B"),
        (".cm-info.json", {"BaseModel": "SDXL 1.0"}, "SDXL 1.0"),
        (".json", {"description": "x", "sd version": "SDXL"}, "SDXL"),
        (".json", {"sd version": 5}, ""),
        (".json", {"sd version": " a\n b "}, "a b"),
        (".json", ["SDXL"], ""),
    ],
)
def test_every_tool_s_place_is_known(tmp_path: Path, suffix: str, content: Any, said: str) -> None:
    (tmp_path / f"neon.v2{suffix}").write_text(json.dumps(content), "utf-8")
    assert base_model(tmp_path / "neon.v2.safetensors") == said


def test_the_tool_that_knows_most_is_believed_first(tmp_path: Path) -> None:
    (tmp_path / "neon.json").write_text('{"sd version": "SDXL"}')
    (tmp_path / "neon.metadata.json").write_text('{"base_model": "Wan Video"}')
    assert base_model(tmp_path / "neon.safetensors") == "Wan Video"


def test_what_cannot_be_read_says_nothing(tmp_path: Path) -> None:
    lora = tmp_path / "neon.safetensors"
    assert base_model(lora) == ""
    (tmp_path / "neon.json").write_bytes(b"\xff{")
    (tmp_path / "neon.metadata.json").mkdir()
    (tmp_path / "neon.civitai.info").write_text('{"baseModel": "Wan"' + " " * 4_000_000 + "}")
    (tmp_path / "neon.cm-info.json").write_text("[" * 100_000)
    assert base_model(lora) == ""
