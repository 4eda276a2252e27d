"""`inspect --sizes` tells the same in words and as JSON."""

import json
from pathlib import Path

import pytest

import resources
from engine.inference.lora.file_gauge import FileGauges
from main import main


def lora(name: str) -> Path:
    return resources.path("demo") / "loras" / f"{name}.safetensors"


def test_words_and_json_agree(capsys: pytest.CaptureFixture[str]) -> None:
    gauge = FileGauges().gauge(lora("neon"))
    assert gauge is not None and gauge.norm is not None
    assert main(["inspect", "--sizes", str(lora("neon"))]) == 0
    words = capsys.readouterr().out
    assert f"‖ΔW‖ {gauge.norm:.3g} at strength 1" in words and "attn1.to_q" in words
    assert main(["inspect", "--sizes", "--json", str(lora("neon"))]) == 0
    sizes = json.loads(capsys.readouterr().out)["sizes"]
    assert sizes["norm"] == pytest.approx(gauge.norm)
    assert len(sizes["cells"]) == len(gauge.cells) == 60
    assert sizes["effective_rank"] == pytest.approx(gauge.rank)


def test_without_the_word_nothing_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "--json", str(lora("neon"))]) == 0
    assert "sizes" not in json.loads(capsys.readouterr().out)


def test_a_file_that_is_none_is_said_and_the_next_one_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.safetensors"
    page.write_text("<html>")
    assert main(["inspect", "--sizes", str(page), str(lora("halo"))]) == 2
    said = capsys.readouterr()
    assert "page" in said.err and "‖ΔW‖" in said.out
