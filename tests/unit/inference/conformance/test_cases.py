"""Every kind of file does to the model exactly what its definition says, at every strength, in both ways."""

from pathlib import Path

import pytest
import torch

from tests.unit.inference.conformance import law
from tests.unit.inference.conformance.bench import STRENGTHS, Bench, assert_reports, bases, bench
from tests.unit.inference.conformance.cases import DIALECTS, DIFFERENCES, PARTLY, TYPES
from tests.unit.inference.conformance.files import Case, File, make

PLAYED = {**DIALECTS, **DIFFERENCES, **TYPES, **PARTLY}
# these reach the layers that only some models have
ELSEWHERE = (
    "native_AB_full",
    "diffusers_full",
    "kohya_full",
    "onetrainer_style",
    "lightx2v_extracted",
    "kijai_extracted",
    "native_full_diff",
    "lycoris_norm",
    "conv3d_lora",
    "lokr_conv3d_ab",
    "lokr_nearsquare",
    "loha_kohya",
    "dora_out_native",
    "oft_diag",
)
# the name that a file gives a delta has no part in how it is applied
BOTH_WAYS = [(name, "exact") for name in PLAYED] + [
    (name, "fast")
    for name in (
        *DIFFERENCES,
        *TYPES,
        "native_AB_full",
        "native_mixed_rank",
        "native_fp16",
        "native_bf16_alpha1d",
        "native_fp8",
        "diffusers_two_experts",
        "diffusers_lora_bias",
        "alpha_zero",
    )
]
OTHER_MODELS = ("i2v", "flf2v", "vace")


@pytest.mark.parametrize(("name", "way"), BOTH_WAYS, ids=["-".join(row) for row in BOTH_WAYS])
def test_t2v(name: str, way: str, tmp_path: Path) -> None:
    _check(PLAYED[name], "t2v", name, way, tmp_path)


@pytest.mark.parametrize("kind", OTHER_MODELS)
@pytest.mark.parametrize("name", ELSEWHERE)
def test_models_with_more_layers(name: str, kind: str, tmp_path: Path) -> None:
    _check(PLAYED[name], kind, name, "auto", tmp_path)


def _check(case: Case, kind: str, name: str, way: str, folder: Path) -> None:
    made = bench(folder, kind, experts=len(case.experts), way=way)
    file = make(case, made.bare, name)
    assert_reports(made.attach("a", file), file)
    _check_strengths(made, file)
    assert torch.equal(made.answer(), law.bare_answer(kind, made.bare["high"]))
    made.rack.detach("a")
    made.assert_untouched()


def _check_strengths(made: Bench, file: File) -> None:
    for strength in STRENGTHS:
        made.set(a=strength)
        for expert, expected in file.expected.items():
            if expert in made.bare:
                made.assert_differs_by(expected, strength, expert)
                if strength in (1.0, 0.5):
                    made.assert_plays((strength, expected), expert=expert)


def test_a_second_expert_that_the_model_lacks_is_ignored(tmp_path: Path) -> None:
    case = DIALECTS["diffusers_two_experts"]
    made = bench(tmp_path)
    file = make(case, bases("t2v"), "one of two")
    assert_reports(made.attach("a", file), file)
    made.set(a=1.0)
    made.assert_plays((1.0, file.expected["high"]))
