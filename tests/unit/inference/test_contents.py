"""Damaged numbers and files of zeros are told without torch, whatever type they are stored in."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from catalog.contents import damage, does_nothing, look_inside
from catalog.coverage import cover
from catalog.experts import Expert
from catalog.header import read_header
from catalog.inspect_files import Target, report
from catalog.inventory import Inventory

TYPES = (
    torch.float64,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.float8_e4m3fn,
    torch.float8_e5m2,
)
LAYER = "diffusion_model.blocks.0.self_attn.q"
TINY: dict[Expert, Inventory] = {
    "high": {"blocks.0.attn1.to_q.weight": (6, 10), "scale_shift_table": (1, 2, 10)}
}


def pair(dtype: torch.dtype, value: float = 1.0) -> dict[str, Tensor]:
    numbers = torch.linspace(-2, 2, 40).reshape(4, 10)
    numbers[1, 3] = value
    return {
        f"{LAYER}.lora_A.weight": numbers.to(dtype),
        f"{LAYER}.lora_B.weight": torch.ones(6, 4).to(dtype),
    }


def written(folder: Path, tensors: dict[str, Tensor]) -> Path:
    save_file(tensors, folder / "a.safetensors")
    return folder / "a.safetensors"


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_damaged_number_is_found(dtype: torch.dtype, value: float, tmp_path: Path) -> None:
    tensors = pair(dtype, value)
    expected = tensors[f"{LAYER}.lora_A.weight"].float().isfinite().all()  # e4m3fn has no infinity
    file = written(tmp_path, tensors)
    found = look_inside(file, read_header(file))
    assert (f"{LAYER}.lora_A.weight" in damage(found)) is not bool(expected)


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_sound_files_and_zeros(dtype: torch.dtype, tmp_path: Path) -> None:
    sound = written(tmp_path, pair(dtype))
    header = read_header(sound)
    assert not damage(look_inside(sound, header)) and not does_nothing(header, look_inside(sound, header))
    empty = written(tmp_path, pair(dtype) | {f"{LAYER}.lora_B.weight": torch.full((6, 4), -0.0).to(dtype)})
    header = read_header(empty)
    assert does_nothing(header, look_inside(empty, header))


def test_an_alpha_of_zero_silences_a_pair_but_no_whole_factors(tmp_path: Path) -> None:
    alpha = {f"{LAYER}.alpha": torch.tensor(0.0)}
    file = written(tmp_path, pair(torch.float32) | alpha)
    assert does_nothing(read_header(file), look_inside(file, read_header(file)))
    whole = {f"{LAYER}.lokr_w1": torch.ones(2, 2), f"{LAYER}.lokr_w2": torch.ones(3, 5)}
    file = written(tmp_path, whole | alpha)
    assert not does_nothing(read_header(file), look_inside(file, read_header(file)))


def test_inspect_refuses_what_the_engine_would(tmp_path: Path) -> None:
    file = written(tmp_path, pair(torch.float32, float("nan")))
    said = report(file, Target("tiny", TINY))
    assert said["coverage"]["refusal"] == said["warnings"][-1] == damage(look_inside(file, read_header(file)))
    assert (said["coverage"]["applied"], said["coverage"]["of"]) == (0, 1)


def test_whole_numbers_without_a_scale_are_an_error(tmp_path: Path) -> None:
    tensors = {name: value.to(torch.int8) for name, value in pair(torch.float32).items()}
    file = written(tmp_path, tensors)
    found = cover(read_header(file), TINY)
    assert found.coverage.modules == 0 and "whole numbers (I8)" in found.coverage.errors[0][1]
