"""Values typed for an axis of a grid."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.grid_values import LIMIT, MOST_VALUES, BadValues, seeds_in, strengths_in


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0, 0.5, 1", (0, 0.5, 1)),
        ("1;0", (1, 0)),
        (" −0.5 , 2 ", (-0.5, 2)),
        ("0…1 in 5", (0, 0.25, 0.5, 0.75, 1)),
        ("0..1 in 3 steps", (0, 0.5, 1)),
        ("0 ... 1 in 3", (0, 0.5, 1)),
        ("0 to 1 in 2", (0, 1)),
        ("1…-1 in 3", (1, 0, -1)),
        ("−1…1 in 3, 1.5", (-1, 0, 1, 1.5)),
        ("0…1 in 4", (0, 0.3333, 0.6667, 1)),
        ("-0", (0,)),
    ],
)
def test_lists_and_ranges(text: str, values: tuple[float, ...]) -> None:
    assert strengths_in(text) == values
    assert all(str(value) != "-0.0" for value in strengths_in(text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no value"),
        (" , ", "no value"),
        ("1,,2", "missing"),
        ("one", "“one” is no number"),
        ("nan", "too far out"),
        ("1e999", "too far out"),
        ("101", "−100 to 100"),
        ("0.5, 0.50", "twice"),
        ("0…1", "how many"),
        ("0…1 in 1", "at least 2"),
        ("0…1 in x", "at least 2"),
        ("0…0 in 2", "twice"),
        (f"0…1 in {MOST_VALUES + 1}", "too many"),
        ("x" * 5000, "no number"),
    ],
)
def test_what_makes_no_axis_is_named(text: str, said: str) -> None:
    with pytest.raises(BadValues, match=said) as refused:
        strengths_in(text)
    assert refused.value.advice and len(str(refused.value)) < 120


def test_seeds() -> None:
    assert seeds_in("7…9, 3") == (7, 8, 9, 3)
    for text in ("1.5", "-1", "9…7", "1…3 in 3", str(2**63), "1, 1", "²", f"0…{10**18}"):
        with pytest.raises(BadValues):
            seeds_in(text)


@given(st.lists(st.integers(-1000, 1000).map(lambda n: n / 10), min_size=1, max_size=12, unique=True))
def test_what_is_written_is_read(values: list[float]) -> None:
    assert strengths_in(", ".join(map(str, values))) == tuple(values)


@given(st.text(max_size=40))
def test_no_text_gives_what_no_grid_could_use(text: str) -> None:
    try:
        values = strengths_in(text)
    except BadValues:
        return
    assert 1 <= len(values) == len(set(values)) <= MOST_VALUES
    assert all(abs(value) <= LIMIT for value in values)
