"""A headless render says how much of every LoRA applied: to programs in numbers, to people where one should look."""

import json
from pathlib import Path

import numpy as np
import pytest

from catalog.coverage import Coverage
from catalog.recipe import LoraUse, Recipe
from engine.report import Report
from engine.worker import Clip

STRAY = tuple((f"lora_te_{n}", "text encoder") for n in range(1200))


def test_coverage_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = Recipe(loras=(LoraUse("whole.safetensors"), LoraUse("partly.safetensors")))
    covered = (("0", Coverage(60, 60, ("high",))), ("1", Coverage(48, 60, ("high",), STRAY)))
    clip = Clip(np.zeros((1, 8, 8, 3), np.uint8), recipe, coverage=covered)
    report = Report(as_json=True, log_file=tmp_path / "log")
    report.begin(1, tmp_path / "a.json", recipe)
    report.finished(1, tmp_path / "a.mp4", clip)
    out, err = capsys.readouterr()
    whole, partly = json.loads(out)["coverage"]
    assert (whole["file"], whole["applied"], whole["of"]) == ("whole.safetensors", 60, 60)
    assert partly["ignored"][0] == {"key": "lora_te_0", "reason": "text encoder"}
    assert len(partly["ignored"]) == 1200 and partly["errors"] == []
    assert "partly.safetensors: 48 of 60 layers apply; 1200 keys of the file do nothing here." in err
    assert "whole.safetensors" not in err


def test_what_a_file_does_not_do_is_said_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = Recipe(loras=(LoraUse("empty.safetensors"),))
    coverage = Coverage(60, 60, ("high",), warnings=("It does nothing.",))
    report = Report(as_json=False, log_file=tmp_path / "log")
    report.begin(1, tmp_path / "a.json", recipe)
    report.finished(
        1, tmp_path / "a.mp4", Clip(np.zeros((1, 8, 8, 3), np.uint8), recipe, coverage=(("0", coverage),))
    )
    assert "empty.safetensors: It does nothing." in capsys.readouterr().err
