"""`render`, `inspect` and `doctor` as a script would use them."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from catalog.folders import choose, default_folders
from catalog.recipe_files import load
from engine.errors import Cancelled
from engine.live import LiveControls
from engine.render import interrupts
from main import main
from tests import tiny
from tests.lora_files import lora_file

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LORA_ALCHEMY_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save_model(tmp_path_factory.mktemp("headless") / "model")


@pytest.fixture
def recipe(tmp_path: Path, model: Path) -> Path:
    """A recipe with a LoRA beside it and one in the library, which is where the window's settings say."""
    lora_file(tmp_path, "comfyui", tiny.transformer())
    library = tmp_path / "my loras"
    library.mkdir()
    choose(replace(default_folders(), library=library))
    lora_file(library, "kohya", tiny.transformer())
    return write(tmp_path / "first.json", model)


def write(file: Path, folder: Path, **changes: Any) -> Path:
    values: dict[str, Any] = {
        "version": 1, "model": str(folder), "prompt": "a red ball", "negative_prompt": "", "width": 32, "height": 32,
        "frames": 5, "fps": 8, "steps": 4, "seed": 7, "guidance": {"high": 4.0, "low": 3.0}, "shift": None,
        "loras": [
            {"file": "comfyui.safetensors", "high": 0.0, "low": 0.8},
            {"file": "kohya.safetensors", "per_step": [1, 1, 0.5, 0]},
        ],
        "mood": "calm",
    }  # fmt: skip
    file.write_text(json.dumps(values | changes), "utf-8")
    return file


def latents(file: Path) -> np.ndarray:
    return load_file(file)["latents"]


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_recipe_becomes_a_clip_that_renders_again_equal(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip, first = tmp_path / "out" / "clip.mp4", tmp_path / "first.safetensors"
    assert main(["render", str(recipe), "--out", str(clip), "--latents", str(first), "--json"]) == 0
    out, err = capsys.readouterr()
    events = lines(out)
    assert [e["event"] for e in events] == ["started"] + ["step"] * 4 + ["finished"]
    for step, event in enumerate(e for e in events if e["event"] == "step"):
        assert (event["step"], event["steps"]) == (step, 4)
        assert event["strengths"]["kohya.safetensors"] == [1, 1, 0.5, 0][step]
        assert event["strengths"]["comfyui.safetensors"] == (0.0 if event["expert"] == "high" else 0.8)
    assert [c["applied"] for c in events[-1]["coverage"]] == [8, 8]
    assert "mood" in err and events[0]["unknown_fields"] == ["mood"]
    inside = load(clip)
    assert inside.extra["mood"] == "calm" and all(len(u.sha256) == 64 for u in inside.loras)
    assert inside.loras[1].per_step == (1, 1, 0.5, 0)
    assert [use.extra["coverage"]["applied"] for use in inside.loras] == [8, 8]

    again, second = tmp_path / "again.mp4", tmp_path / "second.safetensors"
    words = ["render", str(clip), "--out", str(again), "--latents", str(second), "--memory", "low"]
    assert main(words) == 0, "less memory is the same clip"
    assert latents(first).dtype == np.float32 and latents(first).shape == (1, 16, 2, 4, 4)
    assert np.array_equal(latents(first), latents(second))


def test_a_curve_in_a_recipe_is_played_and_both_are_in_the_clip(
    recipe: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    curves = {"high": [[1, 0.25], [0.9, 1.5]], "low": [[0.8, 1, "hold"], [0.5, 0]]}
    asked = write(tmp_path / "curved.json", model, loras=[{"file": "comfyui.safetensors", "curves": curves}])
    clip = tmp_path / "curved.mp4"
    assert main(["render", str(asked), "--out", str(clip), "--json"]) == 0
    steps = [e for e in lines(capsys.readouterr().out) if e["event"] == "step"]
    use = load(clip).loras[0]
    assert use.high_curve is not None and use.low_curve is not None
    wanted = [(use.high_curve if e["expert"] == "high" else use.low_curve).at(e["sigma"]) for e in steps]
    assert list(use.per_step) == [e["strengths"]["comfyui.safetensors"] for e in steps] == wanted
    assert len(set(wanted)) > 2


def test_several_recipes_fill_folders_and_one_bad_one_stops_nobody(
    recipe: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = write(tmp_path / "bad.json", model, width=33)
    other = write(tmp_path / "other.json", model, seed=8, loras=[])
    words = ["render", str(recipe), str(bad), str(other), "--out", str(tmp_path / "clips")]
    assert main([*words, "--latents", str(tmp_path / "latents")]) == 2
    assert sorted(p.name for p in (tmp_path / "clips").iterdir()) == ["first.mp4", "other.mp4"]
    assert sorted(p.name for p in (tmp_path / "latents").iterdir()) == [
        "first.safetensors",
        "other.safetensors",
    ]
    err = capsys.readouterr().err
    assert "width" in err and "multiples of 16" in err and "Traceback" not in err


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": 2}, "version"),
        ({"frames": 6}, "frames"),
        ({"steps": 3}, "per_step"),
        ({"model": "/nowhere/at/all"}, "no model"),
        ({"loras": [{"file": "missing.safetensors"}]}, "missing.safetensors"),
        ({"guidance": {"high": "strong", "low": 1}}, "guidance"),
        ({"scheduler": "magic"}, "scheduler"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    recipe: Path,
    model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, Any],
    said: str,
) -> None:
    write(recipe, model, **changes)
    assert main(["render", str(recipe), "--out", str(tmp_path / "clip.mp4")]) == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert said in last and not (tmp_path / "clip.mp4").exists()


def test_a_mode_of_memory_that_there_is_not_names_those_there_are(
    recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["render", str(recipe), "--out", "clip.mp4", "--memory", "huge"])
    said = capsys.readouterr().err
    assert stopped.value.code == 2 and "huge" in said and "balanced" in said


def test_nothing_is_overwritten(recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"precious")
    assert main(["render", str(recipe), "--out", str(clip)]) == 2
    assert clip.read_bytes() == b"precious" and "exists" in capsys.readouterr().err


def test_another_file_of_the_same_name_is_not_taken_for_the_recorded_one(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = tmp_path / "clip.mp4"
    assert main(["render", str(recipe), "--out", str(clip)]) == 0
    lora_file(tmp_path, "diffusers", tiny.transformer())
    (tmp_path / "diffusers.safetensors").replace(tmp_path / "comfyui.safetensors")
    assert main(["render", str(clip), "--out", str(tmp_path / "again.mp4")]) == 2
    assert "another file" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_whoever_asks_to_stop_is_heard(number: int) -> None:
    live, before = LiveControls(), signal.getsignal(number)
    with interrupts(live):
        live.check()
        signal.raise_signal(number)
    with pytest.raises(Cancelled):
        live.check()
    assert signal.getsignal(number) == before


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT cannot be sent to one process there")
def test_ctrl_c_cancels_with_130_and_leaves_nothing(model: Path, tmp_path: Path) -> None:
    recipe = write(tmp_path / "long.json", model, steps=1000, loras=[])
    clip = tmp_path / "clip.mp4"
    command = [sys.executable, "main.py", "render", str(recipe), "--out", str(clip), "--json"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        while json.loads(process.stdout.readline())["event"] != "step":
            pass
        process.send_signal(signal.SIGINT)
        rest, err = process.communicate(timeout=240)
    assert process.returncode == 130, err
    assert lines(rest)[-1]["event"] == "cancelled" and not clip.exists() and "Traceback" not in err


def test_inspect_says_what_files_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, _ = lora_file(tmp_path, "lokr", tiny.transformer())
    assert main(["inspect", str(file)]) == 0
    assert "LoKr" in capsys.readouterr().out
    page = tmp_path / "page.safetensors"
    page.write_text("<!DOCTYPE html><html></html>")
    assert main(["inspect", str(page)]) == 2
    assert "web page" in capsys.readouterr().err


def test_doctor_needs_no_display_and_names_the_parts(capfd: pytest.CaptureFixture[str]) -> None:
    environment = {
        k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    }
    done = subprocess.run(
        [sys.executable, "main.py", "doctor"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    for part in ("Python", "torch", "device", "plan", "ffmpeg", "LoRA library"):
        assert part in done.stdout
    assert done.returncode in (0, 2)
    assert ("missing" in done.stdout) == (done.returncode == 2)


def test_no_display_is_a_sentence_not_an_abort(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if sys.platform != "linux":
        pytest.skip("other systems always have a display")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert main([]) == 2
    assert "doctor" in capsys.readouterr().err
