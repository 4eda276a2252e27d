"""Coverage on the chosen model: of every file that can be read, kept until the file or the model changes."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from catalog.card_coverage import CardCoverage, CardCoverages
from catalog.models import ModelInfo, find_model
from tests.unit.catalog.builders import sdxl_lora, wan_lora, write


@pytest.fixture
def model() -> ModelInfo:
    return find_model("demo")


def drained(coverages: CardCoverages) -> list[CardCoverage | None]:
    found = []
    while coverages.is_waiting():
        found.append(coverages.next())
    return found


def test_files_come_by_name_with_their_counts(model: ModelInfo, tmp_path: Path) -> None:
    whole = write(tmp_path / "B whole.safetensors", wan_lora())
    other = write(tmp_path / "a other.safetensors", sdxl_lora())
    broken = tmp_path / "c.safetensors"
    broken.write_text("<html>")
    coverages = CardCoverages()
    coverages.choose(model, [whole, other, broken, tmp_path / "gone.safetensors"])
    first, second, *rest = drained(coverages)
    assert first and first.path == other and first.tally.tone == "refused" and "SDXL" in first.tally.refusal
    assert second and second.path == whole and second.tally.tone == "good"
    assert second.tally.modules == second.tally.of == 20 and second.model == model
    assert rest == [None, None]


def test_a_changed_file_is_looked_at_again(model: ModelInfo, tmp_path: Path) -> None:
    file = write(tmp_path / "a.safetensors", wan_lora())
    coverages = CardCoverages()
    coverages.choose(model, [file])
    (before,) = drained(coverages)
    coverages.add([file])
    assert drained(coverages)[0] is before, "nothing has changed"
    stamp = file.stat().st_mtime_ns
    file.unlink()
    write(file, sdxl_lora())
    os.utime(file, ns=(stamp + 1, stamp + 1))
    coverages.add([file])
    (after,) = drained(coverages)
    assert before and after and (before.tally.tone, after.tally.tone) == ("good", "refused")


def test_another_model_begins_anew(model: ModelInfo, tmp_path: Path) -> None:
    file = write(tmp_path / "a.safetensors", wan_lora())
    narrow = tmp_path / "narrow"
    (narrow / "transformer").mkdir(parents=True)
    config = {"num_layers": 1, "num_attention_heads": 6, "attention_head_dim": 32, "ffn_dim": 768}
    (narrow / "transformer" / "config.json").write_text(json.dumps(config))
    coverages = CardCoverages()
    coverages.choose(model, [file])
    coverages.choose(replace(model, path=narrow, experts=("high",)), [file])
    (found,) = drained(coverages)
    assert found and (found.tally.modules, found.tally.of, found.tally.tone) == (0, 20, "refused")
    assert "1" in found.tally.refusal, "the sentence is about the second model"


def test_a_model_whose_layers_are_not_known_says_nothing(model: ModelInfo, tmp_path: Path) -> None:
    file = write(tmp_path / "a.safetensors", wan_lora())
    coverages = CardCoverages()
    assert coverages.explain(file) is None
    coverages.choose(replace(model, path=tmp_path), [file])
    assert not coverages.is_waiting()
    said = coverages.explain(file)
    assert said and said.cover is None and said.problem


def test_one_file_is_explained_key_by_key(model: ModelInfo, tmp_path: Path) -> None:
    file = write(tmp_path / "a.safetensors", wan_lora(blocks=1) | {"stray.weight": (1,)})
    coverages = CardCoverages()
    coverages.choose(model, ())
    said = coverages.explain(file)
    assert said and said.cover and [key for key, _ in said.cover.coverage.ignored] == ["stray.weight"]
    said = coverages.explain(tmp_path / "gone.safetensors")
    assert said and said.cover is None and said.problem


def test_what_one_looks_at_comes_first(model: ModelInfo, tmp_path: Path) -> None:
    files = [write(tmp_path / f"{name}.safetensors", wan_lora()) for name in "abcd"]
    coverages = CardCoverages()
    coverages.choose(model, files)
    coverages.next()
    coverages.prefer([files[3], files[0], tmp_path / "unknown.safetensors"])
    assert [found.path for found in drained(coverages) if found] == [files[3], files[1], files[2]]
