"""Files that somebody picked become a model, with what is missing and what to confirm."""

from pathlib import Path

import pytest

from catalog.model_assembly import Assembly, write_assembly
from catalog.model_proposal import propose
from catalog.models import find_model

TEXT_SIDE = ("vae21.safetensors", "umt5.safetensors", "tokenizer")


def picked(files: Path, *names: str) -> list[Path]:
    return [files / name for name in names]


def test_a_whole_set_makes_a_model_that_opens(files: Path, tmp_path: Path) -> None:
    given = picked(files, *TEXT_SIDE, "t2v_low_noise.safetensors", "t2v_high_noise.safetensors")
    found = propose(given)
    assert found.rows[0].id == "wan2.2-t2v-a14b" and len(found.rows) == 1
    assert found.parts["high"].name == "t2v_high_noise.safetensors"
    assert found.parts["low"].name == "t2v_low_noise.safetensors"
    assert found.missing == () and found.refused == ()
    assert any("high noise, by its file name" in said for said in found.to_confirm)
    write_assembly(Assembly(tmp_path / "a.wanmodel.json", "Mine", found.rows[0], found.parts))
    assert find_model(str(tmp_path / "a.wanmodel.json")).title == "Mine"


@pytest.mark.parametrize("left_out", range(5))
def test_what_is_left_out_is_missing(files: Path, left_out: int) -> None:
    names = ["t2v_high_noise.safetensors", "t2v_low_noise.safetensors", *TEXT_SIDE]
    parts = ["high", "low", "vae", "text_encoder", "tokenizer"]
    found = propose(picked(files, *(name for name in names if name != names[left_out])))
    assert [missing.part for missing in found.missing] == [parts[left_out]]
    assert found.missing[0].advice and found.missing[0].name


def test_the_order_of_files_does_not_matter(files: Path) -> None:
    names = ["t2v_high_noise.safetensors", "t2v_low_noise.safetensors", *TEXT_SIDE]
    one, other = propose(picked(files, *names)), propose(picked(files, *reversed(names)))
    assert one.parts == other.parts and one.rows == other.rows


def test_experts_that_names_do_not_tell_apart_are_asked_for(files: Path) -> None:
    found = propose(picked(files, "second_high_noise.safetensors", "t2v_high_noise.safetensors"))
    assert found.parts["high"].name == "second_high_noise.safetensors"
    assert "do not tell the experts apart" in found.to_confirm[0]


def test_one_transformer_alone_may_be_several_models(files: Path, tmp_path: Path) -> None:
    anonymous = tmp_path / "mine.safetensors"
    anonymous.symlink_to(files / "t2v_low_noise.safetensors")
    found = propose([anonymous, *picked(files, *TEXT_SIDE)])
    assert found.rows[0].id == "wan2.1-t2v-14b" and found.missing == ()
    assert {row.id for row in found.rows} >= {"wan2.2-t2v-a14b", "wan2.1-phantom-14b"}
    assert "but also" in found.to_confirm[0]


def test_files_that_are_no_part_are_refused_one_by_one(files: Path) -> None:
    odd = ("lora.safetensors", "old.pth", "short.safetensors", "vae22.safetensors", "gone.safetensors")
    found = propose(picked(files, "vae21.safetensors", *odd))
    said = {path.name: why for path, why in found.refused}
    assert set(said) == set(odd) and found.rows == () and found.missing == ()
    assert "LoRA" in said["lora.safetensors"] and "pickle" in said["old.pth"]
    assert "incomplete" in said["short.safetensors"] and "already" in said["vae22.safetensors"]
    assert "not there" in said["gone.safetensors"]
