"""Files add, in any order; a delta is the same under every name; number types cost no more than their rounding."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.unit.inference.conformance import law
from tests.unit.inference.conformance.bench import Bench, bases, bench
from tests.unit.inference.conformance.cases import AB, DIALECTS, DIFFERENCES, TYPES, one
from tests.unit.inference.conformance.files import ONE, Case, Delta, make
from tests.unit.inference.conformance.names import NATIVE

CASES = {**DIALECTS, **DIFFERENCES, **TYPES}
TWO = (
    ("native_AB", "diffusers_alpha"),
    ("native_AB_full", "dora_out_native"),
    ("dora_out_kohya", "dora_in_native"),
    ("dora_on_loha", "dora_on_lokr"),
    ("loha_kohya", "lokr_kohya"),
    ("glora", "ia3_out"),
    ("oft_diag", "boft_rescale"),
    ("kijai_extracted", "native_full_diff"),
    ("native_set_weight", "native_full_diff"),
    ("conv3d_lora", "lokr_conv3d_full"),
    ("diffusers_lora_bias", "lycoris_norm"),
)
ways = pytest.mark.parametrize("way", ["exact", "fast"])


@ways
@pytest.mark.parametrize("names", TWO, ids=["+".join(names) for names in TWO])
def test_two_files_add_in_either_order(names: tuple[str, str], way: str, tmp_path: Path) -> None:
    bare = bases("t2v")
    first, second = (make(CASES[name], bare, f"{name} of two") for name in names)
    both = law.total((0.7, first.expected["high"]), (-1.3, second.expected["high"]))
    for order in ({"a": first, "b": second}, {"b": second, "a": first}):
        made = bench(tmp_path / "".join(order), way=way)
        for name, file in order.items():
            made.attach(name, file)
        made.set(a=0.7, b=-1.3)
        made.assert_differs_by(both)
        made.assert_plays((1.0, both))
    made.set(b=1.0)
    made.assert_differs_by(second.expected["high"])
    made.rack.detach("a")
    made.assert_differs_by(second.expected["high"])
    made.rack.detach("b")
    made.assert_untouched()


ALIKE = {
    "scale 1": (
        "native_AB",
        "model_prefix",
        "bare_orig",
        "diffsynth_default",
        "diffsynth_pipe_dit",
        "transformer_orig",
        "peft_base_model_orig",
        "mochi_no_weight",
        "old_linear_layer",
        "old_underscore",
        "diffusers",
        "diffusers_bare",
        "diffusers_bare_default",
        "diffusers_in_native_prefix",
        "peft_base_model_transformer",
        "musubi_no_alpha",
        "stacked_prefixes",
        "leaked_wrappers",
        "named_adapter",
    ),
    "alpha 2": (
        "native_updown_alpha",
        "native_AB_alpha",
        "old_dotted_updown",
        "diffusers_alpha",
        "musubi",
        "alpha_outranks_metadata",
    ),
    "all layers": (
        "videox_fun",
        "videox_fun_diffusers_names",
        "kohya_diffusers_names",
        "onetrainer_style",
        "kohya_full",
    ),
    "DoRA": ("dora_peft", "dora_peft_weight", "dora_peft_default"),
}


@ways
@pytest.mark.parametrize("names", ALIKE.values(), ids=list(ALIKE))
def test_one_delta_sounds_the_same_under_every_name(names: tuple[str, ...], way: str, tmp_path: Path) -> None:
    answers = {}
    made = bench(tmp_path, way=way)
    for name in names:
        made.attach(name, make(CASES[name], made.bare, "the same"))
        made.set(**{name: 0.8})
        answers[name] = made.answer()
        made.rack.detach(name)
    made.assert_untouched()
    assert [name for name in names if not torch.equal(answers[name], answers[names[0]])] == []


@ways
def test_each_expert_has_strengths_of_its_own(way: str, tmp_path: Path) -> None:
    made = bench(tmp_path, experts=2, way=way)
    file = make(DIALECTS["aitoolkit_two_experts"], made.bare, "experts")
    made.attach("a", file)
    made.rack.set("high", {"a": 0.4})
    made.rack.set("low", {"a": -2.0})
    made.assert_plays((0.4, file.expected["high"]), expert="high")
    made.assert_plays((-2.0, file.expected["low"]), expert="low")
    made.rack.set("high", {})
    assert law.same(made.effective("high"), law.bare(made.bare["high"]))
    made.assert_plays((-2.0, file.expected["low"]), expert="low")


@ways
def test_a_file_for_no_expert_in_particular_plays_on_both(way: str, tmp_path: Path) -> None:
    made = bench(tmp_path, experts=2, way=way)
    (part,) = TYPES["glora"].parts
    high, low = (make(Case((replace(part, expert=expert),)), made.bare, "both") for expert in ("high", "low"))
    assert set(made.attach("a", high).experts) == {"high", "low"}
    made.set(a=0.5)
    # the same file means another difference where the weights are others
    made.assert_plays((0.5, high.expected["high"]), expert="high")
    made.assert_plays((0.5, low.expected["low"]), expert="low")


@ways
def test_a_second_expert_is_left_alone_by_the_firsts_own_part(way: str, tmp_path: Path) -> None:
    made = bench(tmp_path, experts=2, way=way)
    case = replace(DIALECTS["diffusers_two_experts"], parts=DIALECTS["diffusers_two_experts"].parts[1:])
    file = make(case, made.bare, "low alone")
    assert set(made.attach("a", file).experts) == {"low"}
    made.set(a=1.0)
    assert law.same(made.effective("high"), law.bare(made.bare["high"]))
    made.assert_plays((1.0, file.expected["low"]), expert="low")


LOW_PRECISION = (
    "native_AB_full",
    "native_fp16",
    "native_bf16_alpha1d",
    "kijai_extracted",
    "native_set_weight",
    "conv3d_lora",
    "loha_kohya",
    "lokr_nearsquare",
    "dora_out_native",
    "dora_in_native",
    "glora",
    "ia3_in",
    "oft_diag_rescale",
    "boft",
)


@pytest.mark.parametrize(
    ("dtype", "way"),
    [(torch.bfloat16, "exact"), (torch.bfloat16, "fast"), (torch.float16, "auto")],
    ids=["bf16-exact", "bf16-fast", "fp16"],
)
@pytest.mark.parametrize("name", LOW_PRECISION)
def test_a_base_of_low_precision(name: str, dtype: torch.dtype, way: str, tmp_path: Path) -> None:
    made = bench(tmp_path, way=way, dtype=dtype)
    file = make(CASES[name], made.bare, name)
    made.attach("a", file)
    made.set(a=-0.5)
    _assert_within_rounding(made, file.expected["high"], -0.5, torch.finfo(dtype).eps)
    made.assert_plays((-0.5, file.expected["high"]), close=0.1)
    made.set(a=0.0)
    made.assert_silent()
    made.rack.detach("a")
    made.assert_untouched()


def _assert_within_rounding(made: Bench, expected: Delta, strength: float, eps: float) -> None:
    """Every number of a layer's answer is off by a few roundings of the largest that goes into it."""
    before, now = law.bare(made.bare["high"]), made.effective()
    for name, was in before.items():
        if name not in expected:
            assert torch.equal(now[name], was), f"{name} changed"
            continue
        wanted = was + strength * expected[name]
        bias = before[name.replace(".weight", ".bias")].abs().max()
        error = (now[name] - wanted).abs().max() / (was.abs().max() + wanted.abs().max() + bias)
        assert error <= 2 * eps, f"{name} is off by {error / eps:.1f} roundings"


def test_the_smallest_and_the_largest_strengths(tmp_path: Path) -> None:
    made = bench(tmp_path)
    file = make(one(NATIVE, AB, ONE), made.bare, "far")
    made.attach("a", file)
    for strength in (1e-3, -10.0, 100.0):
        made.set(a=strength)
        made.assert_differs_by(file.expected["high"], strength, close=2e-3)
