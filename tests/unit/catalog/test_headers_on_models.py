"""Files of real sizes laid over models of real sizes: what is said of the two never contradicts itself."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from catalog.coverage import Cover, cover
from catalog.experts import Expert
from catalog.identify import misfit
from catalog.inventory import Inventory, inventory
from catalog.models import ModelInfo, find_model
from tests.unit.catalog.headers import Described, described

SMALL = {"num_attention_heads": 12, "ffn_dim": 8960, "num_layers": 30}
IMAGE = {"image_dim": 1280, "added_kv_proj_dim": 5120, "in_channels": 36}
CONFIGS: dict[str, dict[str, Any]] = {
    "T2V 14B": {},
    "I2V 14B": IMAGE,
    "FLF2V 14B": IMAGE | {"pos_embed_seq_len": 514},
    "VACE 14B": {"vace_layers": list(range(0, 40, 5))},
    "T2V 1.3B": SMALL,
    "VACE 1.3B": SMALL | {"vace_layers": list(range(0, 30, 2))},
    "5B": {
        "num_attention_heads": 24,
        "ffn_dim": 14336,
        "num_layers": 30,
        "in_channels": 48,
        "out_channels": 48,
    },
}
MODELS = {name: inventory(config) for name, config in CONFIGS.items()}
TWO: Mapping[Expert, Inventory] = {"high": MODELS["T2V 14B"], "low": MODELS["T2V 14B"]}

FILES = ("families.json", "dialects.json", "relatives.json")
CASES = [case for file in FILES for case in described(file)]
RELATIVES = {case.title: case for case in described("relatives.json")}


def info(name: str) -> ModelInfo:
    width = MODELS[name]["scale_shift_table"][-1]
    return replace(find_model("demo"), width_inner=width, layers=40 if width == 5120 else 30, title=name)


def laid(title: str, model: str) -> Cover:
    return cover(RELATIVES[title].header, {"high": MODELS[model]})


@pytest.mark.parametrize("case", described("dialects.json"), ids=lambda case: case.title)
def test_every_dialect_applies_whole_to_the_model_it_was_made_for(case: Described) -> None:
    found = cover(case.header, TWO)
    assert (found.refusal, found.coverage.ignored, found.coverage.errors) == ("", (), ())
    assert found.coverage.modules == found.coverage.of
    assert sum(map(len, found.applied.values())) == len(case.header.tensors)


@pytest.mark.parametrize("model", ["T2V 1.3B", "I2V 14B", "5B"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_a_misfit_is_refused_and_what_is_refused_is_explained(case: Described, model: str) -> None:
    found = cover(case.header, {"high": MODELS[model]})
    assert bool(found.refusal) != bool(found.applied)
    if misfit(case.identity, info(model)):
        assert found.refusal
    is_adapter = not {"control", "whole weights"} & set(case.identity.kinds)
    if is_adapter and case.identity.width not in (None, info(model).width_inner):
        assert f"(width {case.identity.width}); the loaded model is" in found.refusal


@pytest.mark.parametrize(
    ("title", "model", "applied", "of", "reason"),
    [
        ("2.1 I2V", "I2V 14B", 480, 480, ""),
        ("2.1 I2V", "T2V 14B", 400, 480, "image branch"),
        ("2.1 FLF2V", "FLF2V 14B", 481, 481, ""),
        ("2.1 FLF2V", "I2V 14B", 480, 481, "first-and-last-frame"),
        ("VACE 14B", "VACE 14B", 432, 432, ""),
        ("VACE 14B", "I2V 14B", 400, 432, "VACE"),
        ("Animate", "I2V 14B", 480, 488, "Wan Animate"),
        ("S2V", "T2V 14B", 400, 412, "Wan S2V"),
        ("2.2 I2V by its patch embedding", "T2V 14B", 400, 401, "made for 36 input channels"),
        ("2.2 I2V by its patch embedding", "I2V 14B", 401, 401, ""),
        ("Fun-Control by its channels", "T2V 14B", 400, 401, "made for 48 input channels"),
    ],
)
def test_relatives_share_what_they_have_in_common(
    title: str, model: str, applied: int, of: int, reason: str
) -> None:
    found = laid(title, model)
    assert (found.refusal, found.coverage.modules, found.coverage.of) == ("", applied, of)
    assert all(reason in said for _, said in found.coverage.ignored)
    assert bool(found.coverage.ignored) == bool(reason)


@pytest.mark.parametrize(
    ("title", "model", "words"),
    [
        ("1.3B", "T2V 14B", "made for Wan 1.3B (width 1536); the loaded model is Wan 14B (width 5120)"),
        ("5B", "T2V 1.3B", "made for Wan 5B (width 3072); the loaded model is Wan 1.3B (width 1536)"),
        ("14B, a few late blocks", "5B", "made for Wan 14B (width 5120)"),
        ("VACE 1.3B, its own blocks alone", "T2V 1.3B", "belongs to VACE"),
        ("Animate, its own layers alone", "I2V 14B", "belongs to Wan Animate"),
        ("a control LoRA", "T2V 1.3B", "control LoRA"),
        ("a whole model", "T2V 14B", "weights of a model"),
    ],
)
def test_what_cannot_be_used_says_why(title: str, model: str, words: str) -> None:
    assert words in laid(title, model).refusal
