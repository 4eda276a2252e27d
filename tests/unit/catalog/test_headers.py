"""Every family, every dialect, every relative of Wan and every false claim, at real sizes, is called what it is."""

from typing import Any

import pytest

from catalog.identify import Identity, misfit
from catalog.key_styles import ParsedKey, parse_keys
from catalog.models import find_model
from tests.unit.catalog.headers import Described, described, expanded

FILES = ("families.json", "dialects.json", "relatives.json", "claims.json")
CASES = [case for file in FILES for case in described(file)]


def test_a_short_name_stands_for_many() -> None:
    assert list(expanded("a{0-1}.{q|k}")) == ["a0.q", "a0.k", "a1.q", "a1.k"]


@pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])
def test_a_file_is_called_what_it_is(case: Described) -> None:
    found = case.identity
    for name, expected in case.expect.items():
        _check(name, expected, _value(found, name))


def _value(found: Identity, name: str) -> Any:
    match name:
        case "expert":
            return "both" if len(found.experts) == 2 else next(iter(found.experts), found.expert_hint)
        case "source":
            return found.hint_source
        case "strength":
            return found.hint_strength
        case "kinds":
            return list(found.kinds)
        case _:
            return getattr(found, name)


def _check(name: str, expected: Any, value: Any) -> None:
    """Sentences are compared by the words that matter, in their order."""
    if name not in ("contradictions", "cannot_tell"):
        assert (name, value) == (name, expected)
    elif name == "contradictions" or not expected:
        assert len(value) == len(expected), value
    for words in expected if name in ("contradictions", "cannot_tell") else ():
        assert any(words in sentence for sentence in value), value


@pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])
def test_what_is_said_has_a_reason(case: Described) -> None:
    found = case.identity
    said = " ".join(found.evidence)
    assert found.evidence or found.family == "unknown"
    assert all(f"{kind}:" in said for kind in found.kinds if found.evidence)
    assert not found.variant or f"variant {found.variant}:" in said
    assert not found.expert_hint or found.hint_source in said


@pytest.mark.parametrize("case", described("families.json"), ids=lambda case: case.title)
def test_a_file_of_another_family_fits_no_wan(case: Described) -> None:
    found = case.identity
    assert not found.is_wan
    assert "made for" in misfit(found, find_model("demo"))


@pytest.mark.parametrize("case", described("dialects.json"), ids=lambda case: case.title)
def test_every_tensor_of_a_dialect_is_understood(case: Described) -> None:
    assert all(isinstance(parsed, ParsedKey) for parsed in parse_keys(case.header.tensors).values())
