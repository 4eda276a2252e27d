"""Files that somebody picked become a model, with what is missing and what to confirm."""

import os
from itertools import permutations
from pathlib import Path

import pytest

from catalog.model_assembly import Assembly, write_assembly
from catalog.model_proposal import Proposal, alike, assign, doubt, propose, suggest
from catalog.models import find_model
from catalog.part_files import PartFile, Role, look_at

TEXT_SIDE = ("vae21.safetensors", "umt5.safetensors", "tokenizer")
PAIR = ("t2v_high_noise.safetensors", "t2v_low_noise.safetensors")


def picked(files: Path, *names: str) -> list[PartFile]:
    return [look_at(files / name) for name in names]


def proposed(found: list[PartFile], wanted: str = "") -> Proposal:
    return propose(found, suggest(found), wanted)


def test_a_whole_set_makes_a_model_that_opens(files: Path, tmp_path: Path) -> None:
    found = picked(files, *TEXT_SIDE, *reversed(PAIR))
    made = proposed(found)
    assert made.rows[0].id == "wan2.2-t2v-a14b" and len(made.rows) == 1
    assert made.parts is not None and made.missing == () and made.problem == ""
    assert [made.parts[expert].name for expert in ("high", "low")] == list(PAIR)
    write_assembly(Assembly(tmp_path / "a.wanmodel.json", "Mine", made.rows[0], made.parts))
    assert find_model(str(tmp_path / "a.wanmodel.json")).title == "Mine"


@pytest.mark.parametrize("left_out", range(5))
def test_what_is_left_out_is_missing(files: Path, left_out: int) -> None:
    names = [*PAIR, *TEXT_SIDE]
    parts = ["high", "low", "vae", "text_encoder", "tokenizer"]
    made = proposed(picked(files, *(name for name in names if name != names[left_out])))
    assert [missing.part for missing in made.missing] == [parts[left_out]]
    assert made.missing[0].advice and made.missing[0].name in made.problem.lower().replace("vae", "VAE")


def test_the_order_of_files_does_not_matter(files: Path) -> None:
    found = picked(files, *PAIR, *TEXT_SIDE)
    assert len({str(sorted(suggest(list(order)).items())) for order in permutations(found)}) == 1


def test_experts_that_names_do_not_tell_apart_are_in_doubt(files: Path, tmp_path: Path) -> None:
    for name, file in zip(("one", "two"), PAIR, strict=True):
        os.link(files / file, tmp_path / name)  # a copy would fill the holes: 27 GB each
    found = [look_at(tmp_path / "one"), look_at(tmp_path / "two")]
    roles = suggest(found)
    assert list(roles.values()) == ["high", "low"]
    assert all("nothing" in doubt(file, roles[file.path]) for file in found)


def test_a_file_and_a_link_to_it_are_no_pair(files: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(files / PAIR[0])
    found = [look_at(files / PAIR[0]), look_at(tmp_path / "link")]
    assert sorted(suggest(found).values()) == ["", "high"]


def test_two_of_the_same_expert_are_no_pair(files: Path) -> None:
    found = picked(files, "second_high_noise.safetensors", PAIR[0])
    assert list(suggest(found).values()) == ["high", ""]
    assert proposed(found).missing[0].part == "low"
    forced: dict[Path, Role] = {found[0].path: "high", found[1].path: "low"}
    others = picked(files, *TEXT_SIDE)
    assert "both the high-noise expert" in propose(found + others, suggest(others) | forced).problem


def test_what_a_name_says_is_to_be_confirmed_and_can_be_turned(files: Path) -> None:
    high, low = picked(files, *PAIR)
    roles = suggest([high, low])
    assert doubt(high, "high") == "only its file name says so" and "says low noise" in doubt(low, "high")
    turned = assign(roles, low.path, "high")
    assert turned == {high.path: "low", low.path: "high"}
    assert assign(turned, high.path, "high") == roles


def test_nobody_ever_shares_a_role(files: Path) -> None:
    found = picked(files, *PAIR, "second_high_noise.safetensors", "vae21.safetensors", "vae22.safetensors")
    roles = suggest(found)
    for file in found:
        for role in file.roles:
            roles = assign(roles, file.path, role)
            played = [each for each in roles.values() if each]
            assert len(played) == len(set(played)) and roles[file.path] == role
            assert not ("alone" in played and {"high", "low"} & set(played))


def test_parts_that_do_not_fit_the_transformer_are_not_chosen(files: Path) -> None:
    found = picked(files, "vae22.safetensors", "small_umt5.safetensors", *PAIR, *TEXT_SIDE)
    roles = suggest(found)
    assert [roles[file.path] for file in found[:2]] == ["", ""] and proposed(found).problem == ""
    forced = propose(found, assign(roles, found[0].path, "vae"))
    assert "48" in forced.problem and "wan_2.1_vae" in forced.advice


def test_among_many_files_those_that_make_a_model_are_chosen(files: Path) -> None:
    found = picked(files, "i2v_low_noise.safetensors", "5b.safetensors", *PAIR, *TEXT_SIDE)
    made = proposed(found)
    assert made.problem == "" and made.rows[0].id == "wan2.2-t2v-a14b"


def test_one_transformer_alone_may_be_several_models(files: Path, tmp_path: Path) -> None:
    anonymous = tmp_path / "mine.safetensors"
    anonymous.symlink_to(files / PAIR[1])
    found = [look_at(anonymous), *picked(files, *TEXT_SIDE)]
    made = proposed(found)
    assert made.rows[0].id == "wan2.1-t2v-14b" and made.missing == () and made.problem == ""
    assert "Wan 2.2 T2V A14B" in alike(found[0], made.rows)
    other = proposed(found, "wan2.1-phantom-14b")
    assert other.rows[0].id == "wan2.1-phantom-14b" and other.problem == ""


def test_files_that_are_no_part_have_no_role_and_say_why(files: Path) -> None:
    odd = ("lora.safetensors", "old.pth", "short.safetensors", "gone.safetensors")
    found = picked(files, *odd)
    assert all(file.refusal and not file.roles for file in found)
    said = {file.path.name: file.refusal for file in found}
    assert "LoRA" in said["lora.safetensors"] and "pickle" in said["old.pth"]
    assert "incomplete" in said["short.safetensors"] and "not there" in said["gone.safetensors"]
    assert set(suggest(found).values()) == {""} and "transformer" in proposed(found).problem
