"""Scales that a file's own settings state are read by PEFT's rule, and nothing in them can hang or crash."""

import pytest

from engine.errors import AdapterRefused
from engine.inference.lora.scale import pair_scale

MODULE = "blocks.0.ffn.net.2"


@pytest.mark.parametrize(
    ("patterns", "expected"), [({"ffn.net.2": 4}, 1.0), ({"(to_q|net.2)": 2}, 0.5), ({"to_q": 4}, 2.0)]
)
def test_the_pattern_that_fits_the_end_of_the_name_decides(patterns: dict[str, int], expected: float) -> None:
    assert pair_scale(4, None, {"lora_alpha": 8, "alpha_pattern": patterns}, MODULE) == expected


@pytest.mark.parametrize("pattern", ["(", "(a*)*b", "x" * 300, ".*" * 20 + "b"])
def test_patterns_that_cannot_be_trusted_refuse_the_file(pattern: str) -> None:
    with pytest.raises(AdapterRefused, match="alpha_pattern"):
        pair_scale(4, None, {"alpha_pattern": {pattern: 1}}, MODULE)
