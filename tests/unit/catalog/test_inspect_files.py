"""`inspect` says what files are, to people and to programs, and never hides one behind another."""

import hashlib
import json
from pathlib import Path

import pytest

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
    assert said["expert"] == {"hint": "low", "source": "metadata: trained on timesteps 0–875"}
    assert said["metadata"] == metadata
    assert (said["modules"], said["dtype"], said["trainer"]) == (60, "F16", "musubi-tuner")


def test_words_say_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "WaN 2.5.safetensors", sdxl_lora())
    assert main([str(path)], as_json=False) == 0
    said = capsys.readouterr().out
    for words in ("SDXL", "LoRA", "rank", "target layers", "U-Net", "“WaN 2.5”, but the tensors are SDXL"):
        assert words in said


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
