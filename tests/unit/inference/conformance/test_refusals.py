"""What cannot be applied is refused before anything is touched, or said of the very part that it concerns."""

from functools import partial
from pathlib import Path

import pytest
import torch

from engine.errors import AdapterRefused
from tests.unit.inference.conformance.bench import Bench, bases, bench
from tests.unit.inference.conformance.cases import AB, DIALECTS, DIFFERENCES, PARTLY, REFUSED, TYPES, one
from tests.unit.inference.conformance.files import FFN, Case, File, make
from tests.unit.inference.conformance.kinds import ia3
from tests.unit.inference.conformance.names import KOHYA, NATIVE


@pytest.fixture(params=["exact", "fast"])
def empty(tmp_path: Path, request: pytest.FixtureRequest) -> Bench:
    """A rack over one text-to-video model."""
    return bench(tmp_path, way=request.param)


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_file_touches_nothing(name: str, empty: Bench) -> None:
    with pytest.raises(AdapterRefused, match=REFUSED[name].refused):
        empty.attach("a", make(REFUSED[name], empty.bare, name))
    empty.assert_untouched()


@pytest.mark.parametrize("name", ["wrong_model_size", "control_lora_reshape"])
def test_a_refused_file_leaves_the_others_playing(name: str, empty: Bench) -> None:
    good = make(DIALECTS["native_AB"], empty.bare, "good")
    empty.attach("good", good)
    empty.set(good=1.0)
    with pytest.raises(AdapterRefused):
        empty.attach("bad", make(REFUSED[name], empty.bare, name))
    empty.assert_plays((1.0, good.expected["high"]))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", ["native_AB", "native_fp16", "native_bf16_alpha1d", "lokr_full_full"])
def test_numbers_that_are_none_are_refused_by_name(name: str, bad: float, empty: Bench) -> None:
    file = make({**DIALECTS, **TYPES}[name], empty.bare, name)
    key = max(file.tensors)
    file.tensors[key].view(-1)[-1] = bad
    with pytest.raises(AdapterRefused, match=key.replace(".", r"\.")):
        empty.attach("a", file)
    empty.assert_untouched()


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("native_with_text_encoder", "text encoder"),
        ("musubi_with_text_encoder", "text encoder"),
        ("comfyui_with_text_encoder", "text encoder"),
        ("i2v_lora_on_t2v", "image"),
        ("vace_lora_on_plain", "VACE"),
        ("i2v_channels_on_t2v", "channels"),
    ],
)
def test_the_reason_says_what_the_model_lacks(name: str, word: str, empty: Bench) -> None:
    coverage = empty.attach("a", make(PARTLY[name], empty.bare, name))
    assert coverage.ignored
    assert all(word.lower() in reason.lower() for _, reason in coverage.ignored)


@pytest.mark.parametrize("on_input", [False, True])
def test_a_vector_for_the_other_side_of_a_layer_is_refused(on_input: bool, empty: Bench) -> None:
    file = make(one(KOHYA, partial(ia3, on_input=on_input), FFN), empty.bare, "other side")
    file.tensors = {
        key: 1 - tensor if key.endswith("on_input") else tensor for key, tensor in file.tensors.items()
    }
    with pytest.raises(AdapterRefused, match="IA³ vector"):
        empty.attach("a", file)
    empty.assert_untouched()


@pytest.mark.parametrize("shape", [(1, 24), (24, 1)])
def test_a_vector_may_be_written_as_a_matrix(shape: tuple[int, int], empty: Bench) -> None:
    change = torch.linspace(-1, 1, 24)
    empty.attach("a", File({"diffusion_model.blocks.0.self_attn.norm_q.diff": change.view(shape)}))
    empty.set(a=1.0)
    empty.assert_differs_by({"blocks.0.attn1.norm_q.weight": change.double()})


def test_a_file_for_parts_that_the_model_lacks_is_refused(empty: Bench) -> None:
    case = one(NATIVE, AB, r"vace_blocks.*to_q", made_for="vace")
    with pytest.raises(AdapterRefused, match="VACE"):
        empty.attach("a", make(case, empty.bare, "only VACE"))
    empty.assert_untouched()


SILENT = ("loha_kohya", "lokr_full_full", "glora", "glora_old", "oft_diag", "boft", "ia3_out")


@pytest.mark.parametrize(
    "made",
    [DIALECTS["native_AB"], DIFFERENCES["native_full_diff"], *(TYPES[name] for name in SILENT)],
    ids=["pair", "diff", *SILENT],
)
def test_a_file_of_zeros_warns_and_changes_nothing(made: Case, empty: Bench) -> None:
    file = make(made, empty.bare, "zeros")
    file.tensors = {key: torch.zeros_like(tensor) for key, tensor in file.tensors.items()}
    coverage = empty.attach("a", file)
    assert coverage.warnings
    empty.set(a=1.0)
    empty.assert_silent()


def test_the_expert_that_a_model_lacks_is_said(empty: Bench) -> None:
    coverage = empty.attach("a", make(DIALECTS["diffusers_two_experts"], bases("t2v"), "two"))
    assert {key.split(".")[0] for key, _ in coverage.ignored} == {"transformer_2"}
    assert all("expert" in reason for _, reason in coverage.ignored)
