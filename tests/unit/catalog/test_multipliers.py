"""Wan2GP's multipliers mean here what they mean there, quirks included, and come back as they went."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.multipliers import (
    ONE,
    BadMultipliers,
    Entry,
    Phases,
    entries_in,
    per_step,
    phases_in,
    read,
    shortest,
    spread,
    write,
)


@pytest.mark.parametrize(
    ("text", "loras", "expected"),
    [
        ("", 2, [ONE, ONE]),
        ("0.5", 3, [((0.5,),), ONE, ONE]),
        ("1 0.5\n2", 3, [((1,),), ((0.5,),), ((2,),)]),
        ("1\r\n0.5\r\n", 2, [((1,),), ((0.5,),)]),
        ("\n\n1\n\n0.5\n", 2, [((1,),), ((0.5,),)]),
        ("# high first\n1;0\n#low\n0;1", 2, [((1,), (0,)), ((0,), (1,))]),
        ("1;0 0;1", 2, [((1,), (0,)), ((0,), (1,))]),
        ("1|0.5", 2, [((1,),), ((0.5,),)]),
        ("1,0.5,0;0.2", 1, [((1, 0.5, 0), (0.2,))]),
        ("-1 +.5 1e-1 1_0", 4, [((-1,),), ((0.5,),), ((0.1,),), ((10,),)]),
        ("  \t1\t  ", 1, [((1,),)]),
        ("0.5 abc  |  x", 1, [((0.5,),)]),  # what is surplus is not looked at
        ("nonsense", 0, []),
    ],
)
def test_a_text_is_read_entry_by_entry(text: str, loras: int, expected: list[Entry]) -> None:
    assert read(text, loras, phases=2) == tuple(expected)


@pytest.mark.parametrize(
    ("text", "loras", "words"),
    [
        ("1  0.5", 2, "Entry 2 .* empty"),
        ("1 | 0.5", 2, "Entry 2 .* empty"),
        ("   ", 1, "Entry 1 .* empty"),
        ("# only a comment", 1, "Entry 1 .* empty"),
        ("1\n \n0.5", 2, "Entry 2 .* empty"),
        ("1|2|3", 3, "several"),
        ("1 # a|b|c", 1, "several"),
        ("1 # twice", 2, "Entry 2 .*#"),
        (" \t# indented\n1", 1, "no number"),
        ("1\t2", 1, "no number"),
        ("loud", 1, "loud"),
        ("1,,2", 1, "no number"),
        ("1;", 1, "no number"),
        ("1;2;3", 1, "3 phases; here are 2 phases"),
        ("0.5:1", 1, "branches"),
        ("nan", 1, "nan"),
        ("1 -inf", 2, "Entry 2 .*-inf"),
        ("1001", 1, "1000"),
    ],
)
def test_what_wan2gp_or_a_fader_refuses_is_refused(text: str, loras: int, words: str) -> None:
    with pytest.raises(BadMultipliers, match=words):
        read(text, loras, phases=2)


def test_phases_that_lack_are_filled_from_the_side_of_the_model_switch() -> None:
    assert read("0.8,1;0.5", 1, 3, model_switch=1) == (((0.8, 1), (0.5,), (0.5,)),)
    assert read("0.8,1;0.5", 1, 3, model_switch=2) == (((0.8, 1), (0.8, 1), (0.5,)),)
    with pytest.raises(BadMultipliers, match="2 phases; here are 1 phase"):
        read("1;0", 1, 1)


def test_phases_and_entries_are_counted_as_they_are_read() -> None:
    assert phases_in("0;1;0 0;0;1", 2) == 3 and phases_in("1 0;0;1", 1) == 1 and phases_in("", 1) == 1
    assert entries_in("") == 0 and entries_in("1 2\n3") == 3


@pytest.mark.parametrize(
    ("text", "steps", "borders", "expected"),
    [
        ("0.7", 3, (1, 3), [0.7, 0.7, 0.7]),
        ("0,1,2", 4, (1, 4), [0, 0, 1, 2]),  # one list ignores the phases
        ("0.1,0.9", 5, (2, 5), [0.1, 0.1, 0.1, 0.9, 0.9]),
        ("0,1,2,3,4", 3, (1, 3), [0, 1, 3]),
        ("1;0", 5, (2, 5), [1, 1, 0, 0, 0]),
        ("1,2;3,4", 6, (2, 6), [1, 2, 3, 3, 4, 4]),
        ("1;0", 3, (0, 3), [0, 0, 0]),
        ("1;0", 3, (3, 3), [1, 1, 1]),
        ("1;2;3", 6, (2, 4), [1, 1, 2, 2, 3, 3]),
        ("1;2;3", 4, (3, 1), [1, 1, 1, 3]),
    ],
)
def test_lists_are_spread_evenly(
    text: str, steps: int, borders: tuple[int, int], expected: list[float]
) -> None:
    (entry,) = read(text, 1, phases=3 if text.count(";") == 2 else 2)
    assert list(per_step(entry, steps, borders)) == expected


def test_the_documented_example() -> None:
    (entry,) = read("0.9,0.8,0.7", 1, phases=1)
    assert list(per_step(entry, 30, (30, 30))) == [0.9] * 10 + [0.8] * 10 + [0.7] * 10


@given(st.lists(st.floats(-2, 2), min_size=1, max_size=60).map(tuple), st.integers(1, 60))
def test_every_value_keeps_its_place_and_its_share(values: tuple[float, ...], steps: int) -> None:
    places = spread(tuple(range(len(values))), steps)
    assert list(places) == [i * len(values) // steps for i in range(steps)]
    assert spread(values, steps) == tuple(values[int(place)] for place in places)


@pytest.mark.parametrize(
    ("phases", "borders"),
    [
        (Phases(1), (4, 4)),
        (Phases(2, 1, (875,)), (2, 4)),
        (Phases(2, 1, (899.9,)), (2, 4)),
        (Phases(3, 2, (965, 875)), (1, 2)),
        (Phases(3, 2, (965, 100)), (1, 3)),
        (Phases(3, 2, (0, 0)), (4, 4)),
    ],
)
def test_phases_end_at_the_first_timestep_at_or_under_a_threshold(
    phases: Phases, borders: tuple[int, int]
) -> None:
    assert phases.borders([999, 900, 875, 100]) == borders


STRENGTHS = st.sampled_from([0.0, 0.5, 1.0, -0.25, 1e-07, 3.1415926]) | st.floats(-1000, 1000)


@given(
    st.integers(1, 40).flatmap(lambda n: st.lists(st.tuples(*[STRENGTHS] * n), min_size=1, max_size=4)),
    st.data(),
)
def test_what_is_written_is_read_as_it_was(strengths: list[tuple[float, ...]], data: st.DataObject) -> None:
    steps = len(strengths[0])
    border = data.draw(st.integers(0, steps))
    phases = 2 if 0 < border < steps else 1
    text = write(strengths, border)
    assert "e" not in text and "  " not in text
    entries = read(text, len(strengths), phases)
    assert [per_step(entry, steps, (border, steps)) for entry in entries] == strengths


@pytest.mark.parametrize(
    ("played", "border", "text"),
    [
        ([(1.0,) * 6], 2, "1"),
        ([(1.0, 1.0, 0.0, 0.0)], 2, "1;0"),
        ([(0.0,) * 6 + (1.0,) * 4, (0.0,) * 3 + (0.5,) * 3 + (1.0,) * 4], 6, "0;1 0,0.5;1"),
        ([(0.25, 0.5, 0.75, -1.0)], 4, "0.25,0.5,0.75,-1"),
    ],
)
def test_it_is_written_as_short_as_a_person_would(
    played: list[tuple[float, ...]], border: int, text: str
) -> None:
    assert write(played, border) == text


@given(st.lists(st.floats(-2, 2), min_size=1, max_size=40).map(tuple))
def test_the_shortest_list_survives_adding_up_with_rounding(played: tuple[float, ...]) -> None:
    values, place, heard = shortest(played), 0.0, []
    for _ in played:
        heard.append(values[int(place)])
        place += len(values) / len(played)
    assert tuple(heard) == played == spread(values, len(played))
    assert len(values) >= 1 + sum(a != b for a, b in pairwise(played))
