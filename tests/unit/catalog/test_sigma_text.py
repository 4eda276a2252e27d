"""Sigmas as they are pasted from elsewhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import BadRecipe
from catalog.sigma_text import read, write


@pytest.mark.parametrize(
    ("text", "sigmas"),
    [
        ("1, 0.9375, 0.83333, 0.625", (1, 0.9375, 0.83333, 0.625)),
        ("[1.0, 0.5, 0]", (1, 0.5)),
        ("1000, 937.5, 625, 250, 0", (1, 0.9375, 0.625, 0.25)),
        (" 0.9;0.5\n0.25 ", (0.9, 0.5, 0.25)),
        ("1", (1,)),
        ("  ", None),
        ("[]", None),
    ],
)
def test_what_people_write_is_read(text: str, sigmas: tuple[float, ...] | None) -> None:
    assert read(text) == sigmas


@pytest.mark.parametrize(
    "text", ["one, two", "0.5, 0.9", "0.9, 0.9", "-1, -2", "nan", "inf, 1", "0", "1001, 5"]
)
def test_what_is_no_way_down_is_refused(text: str) -> None:
    with pytest.raises(BadRecipe) as caught:
        read(text)
    assert "numbers" in str(caught.value) or "sigmas" in str(caught.value)


@given(st.sets(st.integers(2, 99_999), min_size=1, max_size=30))
def test_what_is_written_is_read_again(found: set[int]) -> None:
    sigmas = tuple(i / 99_999 for i in sorted(found, reverse=True))
    assert read(write(sigmas)) == sigmas
