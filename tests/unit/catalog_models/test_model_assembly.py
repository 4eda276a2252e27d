"""Descriptions of models made of single files: read strictly, and refused in words that help."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

import resources
from catalog.errors import ModelNotFound
from catalog.folders import HOME_VARIABLE
from catalog.model_assembly import Assembly, read_assembly, write_assembly
from catalog.model_table import entry
from catalog.models import find_model

A14B = "wan2.2-t2v-a14b"


def described(files: Path, folder: Path, model: str = A14B, **parts: str | None) -> Path:
    """A description of that model; parts given as None are left out."""
    given: dict[str, str | None] = {
        "high": "t2v_high_noise.safetensors", "low": "t2v_low_noise.safetensors", "vae": "vae21.safetensors",
        "text_encoder": "umt5.safetensors", "tokenizer": "tokenizer",
    }  # fmt: skip
    named = {part: str(files / name) for part, name in (given | parts).items() if name}
    path = folder / "mine.wanmodel.json"
    path.write_text(json.dumps({"format": 1, "model": model, "parts": named}), "utf-8")
    return path


def refusal(path: Path) -> ModelNotFound:
    with pytest.raises(ModelNotFound) as caught:
        find_model(str(path))
    return caught.value


def test_a_whole_model_has_the_settings_of_its_row(files: Path, tmp_path: Path) -> None:
    info = find_model(str(described(files, tmp_path)))
    assert info.entry == A14B and info.experts == ("high", "low") and info.boundary == 0.875
    assert (info.defaults.shift, info.defaults.guidance_high, info.defaults.guidance_low) == (12, 4, 3)
    assert (info.width_inner, info.layers, info.in_channels, info.size_multiple) == (5120, 40, 16, 16)
    assert info.title == "mine"


def test_the_5b_has_larger_steps(files: Path, tmp_path: Path) -> None:
    path = described(
        files, tmp_path, "wan2.2-ti2v-5b", high="5b.safetensors", low=None, vae="vae22.safetensors"
    )
    info = find_model(str(path))
    assert info.experts == ("high",) and info.boundary is None and info.size_multiple == 32
    assert (info.defaults.frames, info.defaults.fps) == (121, 24)


@pytest.mark.parametrize(
    ("part", "said", "advice"),
    [
        ("low", "the transformer for low noise", "Comfy-Org/Wan_2.2_ComfyUI_Repackaged"),
        ("vae", "the VAE", "wan_2.1_vae.safetensors"),
        ("text_encoder", "the text encoder", "umt5_xxl"),
        ("tokenizer", "the tokenizer", "Wan-AI/Wan2.1-T2V-1.3B-Diffusers"),
    ],
)
def test_a_missing_part_is_named_with_where_to_get_it(
    files: Path, tmp_path: Path, part: str, said: str, advice: str
) -> None:
    error = refusal(described(files, tmp_path, **{part: None}))
    assert said in str(error) and advice in error.advice


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"low": "i2v_low_noise.safetensors"}, "of different models"),
        ({"low": "t2v_high_noise.safetensors"}, "given for both experts"),
        ({"low": "second_high_noise.safetensors"}, "both the high-noise expert"),
        ({"high": "5b.safetensors", "low": None}, "lacks the transformer for low noise"),
        ({"vae": "vae22.safetensors"}, "16 latent channels, the VAE vae22.safetensors in 48"),
        ({"vae": "umt5.safetensors"}, "cannot be the VAE"),
        ({"vae": "lora.safetensors"}, "It is a LoRA file"),
        ({"text_encoder": "small_umt5.safetensors"}, "text of width 4096"),
        ({"high": "old.pth"}, "pickle"),
        ({"vae": "short.safetensors"}, "download is incomplete"),
        ({"vae": "gone.safetensors"}, "gone.safetensors is not there"),
        ({"tokenizer": "umt5.safetensors"}, "no tokenizer.json"),
    ],
)
def test_parts_that_do_not_belong_together_are_named(
    files: Path, tmp_path: Path, parts: Mapping[str, str | None], said: str
) -> None:
    assert said in str(refusal(described(files, tmp_path, **parts)))


def test_a_model_that_needs_an_image_says_so(files: Path, tmp_path: Path) -> None:
    parts = {"high": "i2v_high_noise.safetensors", "low": "i2v_low_noise.safetensors"}
    info = find_model(str(described(files, tmp_path, "wan2.2-i2v-a14b", **parts)))
    assert info.needs == {"start_image"} and info.takes == {"start_image", "end_image"}


def test_a_phantom_is_one_by_its_description_alone(files: Path, tmp_path: Path) -> None:
    info = find_model(str(described(files, tmp_path, "wan2.1-phantom-14b", low=None)))
    assert info.needs == info.takes == {"reference_images"} and info.most_references == 4
    (tmp_path / "plain").mkdir()
    assert not find_model(str(described(files, tmp_path / "plain", "wan2.1-t2v-14b", low=None))).takes


def test_another_transformer_than_the_description_says_is_refused(files: Path, tmp_path: Path) -> None:
    path = described(files, tmp_path, "wan2.1-t2v-1.3b", low=None)
    assert "not Wan 2.1 T2V 1.3B" in str(refusal(path))


def test_a_part_opened_as_a_model_says_what_it_is(files: Path) -> None:
    assert "one part of a model: Wan 2.2 T2V A14B, bf16" in str(refusal(files / "t2v_high_noise.safetensors"))
    assert "pickle" in str(refusal(files / "old.pth"))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("[]", "no description"),
        ("{", "cannot be read"),
        ('{"format": 2, "model": "other", "parts": {}}', "format 1"),
        ('{"format": 1, "model": "flux", "parts": {}}', "unknown model “flux”"),
        ('{"format": 1, "model": "other", "parts": {"clip": "x"}}', "unknown part “clip”"),
        ('{"format": 1, "model": "other", "parts": {"vae": 3}}', "names no parts"),
        ('{"format": 1, "model": "other", "parts": {}, "run": "x"}', "unknown field “run”"),
        ('{"format": 1, "model": "other", "parts": {"vae": "//host/x"}}', "another computer"),
        ('{"format": 1, "model": "other", "parts": {"vae": "\\\\\\\\host\\\\x"}}', "another computer"),
        (" " * 200_000, "too large"),
    ],
)
def test_wrong_descriptions_are_refused(tmp_path: Path, value: str, said: str) -> None:
    path = tmp_path / "x.wanmodel.json"
    path.write_text(value, "utf-8")
    assert said in str(refusal(path))


def test_what_is_written_is_read_again_and_nothing_is_replaced(files: Path, tmp_path: Path) -> None:
    row = entry(A14B)
    assert row is not None
    (tmp_path / "vae.safetensors").write_bytes(b"")
    mine = Assembly(
        tmp_path / "ä.wanmodel.json", "My ä", row,
        {"high": files / "t2v_high_noise.safetensors", "vae": tmp_path / "vae.safetensors"},
    )  # fmt: skip
    write_assembly(mine)
    assert read_assembly(mine.path) == mine
    assert json.loads(mine.path.read_text("utf-8"))["parts"]["vae"] == "vae.safetensors"
    before = mine.path.read_bytes()
    with pytest.raises(FileExistsError):
        write_assembly(mine)
    assert mine.path.read_bytes() == before and len(list(tmp_path.iterdir())) == 2


def test_a_name_finds_the_model_in_the_models_folder(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    folder = tmp_path / "state" / "models"
    folder.mkdir(parents=True)
    described(files, folder)
    assert find_model("mine").entry == A14B
    for name in ("nobody", "~nobodyhere/model"):
        assert "no model called" in str(refusal(Path(name)))
    assert "cannot be read" in str(refusal(Path("x" * 5000)))


def test_a_folder_of_the_hubs_cache_is_opened(tmp_path: Path) -> None:
    """models--owner--name holds revisions, of which refs/main names the newest."""
    cache = tmp_path / "models--Wan-AI--Wan-Tiny"
    revision = cache / "snapshots" / "0123abcd"
    shutil.copytree(resources.path("demo"), revision, ignore=shutil.ignore_patterns("*.safetensors"))
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("0123abcd\n")
    assert find_model(str(cache)).path == revision
    assert find_model(str(revision)).path == revision
