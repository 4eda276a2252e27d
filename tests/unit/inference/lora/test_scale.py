"""Scales that a file's own settings state are read by PEFT's rule, and nothing in them can hang or crash."""

import json
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import pytest
import torch

from catalog.peft_alpha import AlphaRules, alpha_rules
from engine.errors import AdapterRefused
from engine.inference.lora.scale import pair_scale
from tests.unit.inference.conformance.bench import Bench, bench
from tests.unit.inference.conformance.cases import AB, AB_ALPHA, one, stated
from tests.unit.inference.conformance.files import make
from tests.unit.inference.conformance.kinds import Kind, pair
from tests.unit.inference.conformance.names import DIFFUSERS

MODULE = "blocks.0.ffn.net.2"
SLOW = ("(a*)*b", ".*" * 20 + "b", "(.|.)" * 40 + "!", "(.|.|.)+!", "(?:.|.)(?:.|.)", "[", "x" * 300)


def rules_of(**settings: object) -> AlphaRules:
    stored = {f"transformer.{name}": value for name, value in settings.items()}
    return alpha_rules({"lora_adapter_metadata": json.dumps(stored)}, None)


def scale(**settings: object) -> float:
    return pair_scale(4, None, rules_of(**settings), MODULE)


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [({"ffn.net.2": 4}, 1.0), ({"(to_q|net.2)": 2}, 0.5), ({"to_q": 4}, 2.0), ({r".*\.net\.2": 12}, 3.0)],
)
def test_the_pattern_that_fits_the_end_of_the_name_decides(patterns: dict[str, int], expected: float) -> None:
    assert scale(lora_alpha=8, alpha_pattern=patterns) == expected


UNUSABLE = (True, "8", float("nan"), 1e12, [8])


@pytest.mark.parametrize("alpha", UNUSABLE, ids=str)
def test_a_stated_alpha_that_is_no_usable_number_is_a_problem(alpha: object) -> None:
    for settings in ({"lora_alpha": alpha}, {"alpha_pattern": {"net.2": alpha}}):
        assert "no number to use" in rules_of(**settings).problem
    assert not rules_of(lora_alpha=None, alpha_pattern=None).problem


@pytest.mark.parametrize("text", ["{oops", "[1]", "8", '{"transformer.alpha_pattern": [8]}'])
def test_settings_that_cannot_be_read_refuse_the_file(text: str, tmp_path: Path) -> None:
    made = bench(tmp_path)
    for kind, is_refused in ((AB, True), (AB_ALPHA, False)):
        file = make(one(DIFFUSERS, kind, metadata={"lora_adapter_metadata": text}), made.bare, "settings")
        with pytest.raises(AdapterRefused, match="metadata") if is_refused else nullcontext():
            made.attach(str(is_refused), file)


@pytest.mark.parametrize("alpha", [3e38, -1e12])
def test_an_alpha_that_nobody_means_refuses_the_file(alpha: float, tmp_path: Path) -> None:
    made = bench(tmp_path)
    with pytest.raises(AdapterRefused, match="its alpha would multiply it by"):
        made.attach("a", make(one(DIFFUSERS, partial(pair, alpha=alpha)), made.bare, "huge"))
    made.assert_untouched()


def test_nothing_stated_is_no_problem() -> None:
    assert not any(alpha_rules({"lora_adapter_metadata": text}, None).problem for text in ("", "{}", "null"))


def attach(folder: Path, kind: Kind, patterns: dict[str, float]) -> Bench:
    made = bench(folder)
    file = make(
        one(DIFFUSERS, kind, metadata=stated(lora_alpha=8, alpha_pattern=patterns)), made.bare, "settings"
    )
    made.attach("a", file)
    return made


@pytest.mark.parametrize("pattern", SLOW)
def test_patterns_that_cannot_be_trusted_refuse_the_file(pattern: str, tmp_path: Path) -> None:
    with pytest.raises(AdapterRefused, match="alpha_pattern"):
        attach(tmp_path, AB, {pattern: 1.0})


def test_they_do_not_matter_where_every_layer_has_its_alpha(tmp_path: Path) -> None:
    made = attach(tmp_path, AB_ALPHA, {SLOW[0]: 1.0})
    made.set(a=1.0)
    assert not torch.equal(made.answer(), bench(tmp_path).answer())


def test_more_patterns_than_anyone_writes_refuse_the_file(tmp_path: Path) -> None:
    with pytest.raises(AdapterRefused, match="too many"):
        attach(tmp_path, AB, {f"blocks.{number}.x": 1.0 for number in range(3000)})
