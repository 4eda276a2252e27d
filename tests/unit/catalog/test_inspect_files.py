"""`inspect` says what files are, to people and to programs, and never hides one behind another."""

import hashlib
import json
from pathlib import Path

import pytest

import resources
from catalog.inspect_files import main
from tests.unit.catalog.builders import sdxl_lora, wan_lora, write

KEYS = {
    *(
        "path",
        "sha256",
        "size",
        "family",
        "variant",
        "confidence",
        "evidence",
        "cannot_tell",
        "contradictions",
    ),
    *("expert", "kinds", "dialect", "rank", "alpha", "dtype", "modules", "parameters", "trigger_words"),
    *("trainer", "metadata", "warnings"),
}


def test_json_tells_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    metadata = {"ss_network_module": "networks.lora_wan", "modelspec.timestep_range": "0,875"}
    path = write(tmp_path / "neon.safetensors", wan_lora(192, 6, 8), metadata)
    assert main([path], as_json=True) == 0
    said = json.loads(capsys.readouterr().out)
    assert said.keys() >= KEYS
    assert said["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (said["path"], said["size"]) == (str(path), path.stat().st_size)
    assert said["kinds"] == {"lora": 60}
    assert said["rank"] == {"8": 60}
    assert said["expert"] == {
        "hint": "low",
        "source": "metadata: trained on timesteps 0–875",
        "strength": "strong",
    }
    assert said["metadata"] == metadata
    assert (said["modules"], said["dtype"], said["trainer"]) == (60, {"F16": 120}, "musubi-tuner")


def test_words_say_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "WaN 2.5.safetensors", sdxl_lora())
    assert main([str(path)], as_json=False) == 0
    said = capsys.readouterr().out
    for words in ("SDXL", "LoRA", "rank", "target layers", "U-Net", "“WaN 2.5”, but the tensors are SDXL"):
        assert words in said


DEMO_LORAS = sorted(resources.path("demo").glob("loras/*.safetensors"))


def test_how_much_applies_to_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(DEMO_LORAS, as_json=True, model="demo") == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    covered = {Path(one["path"]).stem: one["coverage"] for one in said}
    assert covered.keys() == {path.stem for path in DEMO_LORAS}
    for name, coverage in covered.items():
        assert (coverage["applied"] == 0) == bool(coverage["refusal"]), name
        assert sum(share["of"] for share in coverage["blocks"].values()) == coverage["of"]
    assert "made for SDXL" in covered["WaN_2.5_official"]["refusal"]
    assert covered["ring"]["experts"] == ["high", "low"]
    assert covered["ring"]["applied"] == covered["ring"]["of"]


def test_what_does_not_apply_is_listed_by_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shapes = wan_lora(192, 1) | {
        "text_encoder.x.lora_A.weight": (4, 4),
        "blocks.1.ffn.0.lora_A.weight": (4, 192),
    }
    path = write(tmp_path / "x.safetensors", shapes)
    main([path], as_json=True, model="demo")
    coverage = json.loads(capsys.readouterr().out)["coverage"]
    assert coverage["ignored"] == [{"key": "text_encoder.x.lora_A.weight", "reason": "text encoder"}]
    assert [error["module"] for error in coverage["errors"]] == ["blocks.1.ffn.net.0.proj"]
    assert (coverage["applied"], coverage["of"]) == (10, 11)
    main([path], as_json=False, model="demo")
    said = capsys.readouterr().out
    for words in ("10 of 11 layers apply", "text encoder", "half of it is missing", "high and low"):
        assert words in said


@pytest.mark.parametrize("as_json", [False, True])
def test_a_model_that_is_not_there_is_said_once(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    assert main(DEMO_LORAS, as_json, model="no such model") == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1


def test_the_page_it_came_from_is_held_against_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "x.safetensors", wan_lora(5120, 1, 1, ffn=13824))
    (tmp_path / "x.civitai.info").write_text('{"baseModel": "SDXL 1.0"}')
    main([path], as_json=True)
    assert "The file beside it says SDXL" in json.loads(capsys.readouterr().out)["contradictions"][0]


def test_alpha_zero_and_none_differ(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shapes = wan_lora(192, 1)
    write(tmp_path / "none.safetensors", shapes)
    write(tmp_path / "zero.safetensors", shapes | {"diffusion_model.blocks.0.ffn.0.alpha": ()}, fill=0)
    main([tmp_path / "none.safetensors", tmp_path / "zero.safetensors"], as_json=True)
    none, zero = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (none["alpha"], zero["alpha"]) == ({}, {"0": 1})


@pytest.mark.parametrize("as_json", [False, True])
def test_an_unreadable_file_hides_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    good = write(tmp_path / "good.safetensors")
    bad = tmp_path / "bad.safetensors"
    bad.write_text("<html>")
    assert main([bad, tmp_path / "missing", good], as_json) == 2
    said = capsys.readouterr()
    assert "good.safetensors" in said.out
    first, second = said.err.splitlines()
    assert "bad.safetensors: This is a web page" in first
    assert "missing: The file is not there." in second


def test_names_cannot_take_over_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "x.safetensors", metadata={"trigger_word": "\x1b[2Jgone\u202e"})
    main([path], as_json=False)
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert "\u202e" not in said
