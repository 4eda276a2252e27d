"""A curve is exact at its points, stays between them, and survives being cut, edited and written."""

import json
import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.curve import MOST_POINTS, BadCurve, Curve, Point, from_json, held, to_json

SIGMAS = st.floats(0, 1)
STRENGTHS = st.floats(-1000, 1000)


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    sigmas = sorted(draw(st.lists(SIGMAS, min_size=1, max_size=6, unique=True)), reverse=True)
    return Curve(tuple(Point(sigma, draw(STRENGTHS), draw(st.booleans())) for sigma in sigmas))


RISE = Curve((Point(0.8, 0.0), Point(0.4, 1.0)))
STAIRS = Curve((Point(0.8, 0.0, True), Point(0.4, 1.0, True)))


@pytest.mark.parametrize(
    ("curve", "sigma", "strength"),
    [
        (RISE, 1.0, 0.0), (RISE, 0.8, 0.0), (RISE, 0.6, 0.5), (RISE, 0.5, 0.75), (RISE, 0.4, 1.0), (RISE, 0.0, 1.0),
        (STAIRS, 0.8, 0.0), (STAIRS, 0.6, 0.0), (STAIRS, 0.4000001, 0.0), (STAIRS, 0.4, 1.0), (STAIRS, 0.1, 1.0),
    ],
)  # fmt: skip
def test_strengths_lie_on_the_line_or_hold(curve: Curve, sigma: float, strength: float) -> None:
    assert curve.at(sigma) == pytest.approx(strength)


@given(curves())
def test_a_curve_goes_exactly_through_its_points(curve: Curve) -> None:
    assert all(curve.at(point.sigma) == point.strength for point in curve.points)
    assert curve.at(math.inf) == curve.points[0].strength
    assert curve.at(-math.inf) == curve.points[-1].strength


@given(curves(), SIGMAS)
def test_between_two_points_a_curve_stays_between_them(curve: Curve, sigma: float) -> None:
    for before, after in pairwise(curve.points):
        if before.sigma >= sigma >= after.sigma:
            ends = sorted((before.strength, after.strength))
            assert ends[0] <= curve.at(sigma) <= ends[1]
            if before.is_held and sigma != after.sigma:
                assert curve.at(sigma) == before.strength


@given(curves(), SIGMAS, SIGMAS, st.floats(0, 1))
def test_a_part_of_a_curve_plays_the_same_there(curve: Curve, one: float, other: float, where: float) -> None:
    least, most = min(one, other), max(one, other)
    part = curve.between(least, most)
    assert all(least <= point.sigma <= most for point in part.points)
    sigma = min(max(least + (most - least) * where, least), most)
    if min((a.sigma - b.sigma for a, b in pairwise(part.points)), default=1) > 1e-9:
        assert part.at(sigma) == pytest.approx(curve.at(sigma), abs=1e-3)
    assert part.between(least, most) == part


@given(curves())
def test_writing_and_reading_gives_the_same(curve: Curve) -> None:
    assert from_json(json.loads(json.dumps(to_json(curve)))) == curve


@given(st.lists(st.tuples(SIGMAS, STRENGTHS), min_size=1, max_size=30, unique_by=lambda step: step[0]))
def test_held_steps_are_played_again_exactly(steps: list[tuple[float, float]]) -> None:
    sigmas, strengths = zip(*sorted(steps, reverse=True), strict=True)
    if all(a > (a + b) / 2 > b for a, b in pairwise(sigmas)):  # floats that leave no room are no schedule
        assert tuple(held(sigmas, strengths).at(sigma) for sigma in sigmas) == strengths


def test_held_steps_do_not_depend_on_the_last_digit_of_a_sigma() -> None:
    sigmas, strengths = [1.0, 0.9, 0.7, 0.4], [0.0, 1.0, 1.0, 0.5]
    curve = held(sigmas, strengths)
    assert [curve.at(sigma + 1e-6) for sigma in sigmas] == strengths
    assert [curve.at(sigma - 1e-6) for sigma in sigmas] == strengths
    assert len(curve.points) == 3


@given(curves(), SIGMAS, STRENGTHS)
def test_a_point_put_in_can_be_taken_out(curve: Curve, sigma: float, strength: float) -> None:
    more = curve.put(Point(sigma, strength))
    assert more.at(sigma) == strength
    index = next(i for i, point in enumerate(more.points) if point.sigma == sigma)
    if all(point.sigma != sigma for point in curve.points):
        assert more.without(index) == curve


def test_the_last_point_takes_the_curve_with_it() -> None:
    assert Curve((Point(0.5, 1.0),)).without(0) is None


def test_a_point_cannot_pass_its_neighbour() -> None:
    assert RISE.moved(0, Point(0.5, 2.0)).at(0.5) == 2.0
    with pytest.raises(BadCurve, match="less than the one before"):
        RISE.moved(0, Point(0.3, 0.0))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "list"), ({}, "list"), ([], "0 points"), ([[0.5, 1]] * 2, "Point 2"), ([[0.2, 1], [0.3, 1]], "Point 2"),
        ([[0.5]], "Point 1"), ([0.5], "Point 1"), ([[0.5, 1, "line"]], "hold"), ([[0.5, 1, "hold", 2]], "hold"),
        ([[True, 1]], "Point 1"), ([["0.5", 1]], "Point 1"), ([[1.5, 1]], "0 to 1"), ([[-0.1, 1]], "0 to 1"),
        ([[math.nan, 1]], "0 to 1"), ([[0.5, math.inf]], "1000"), ([[0.5, math.nan]], "1000"), ([[0.5, 10**400]], "1000"),
        ([[1 - i / 2000, 0] for i in range(MOST_POINTS + 1)], "1001 points"),
    ],
)  # fmt: skip
def test_what_is_no_curve_is_refused(value: Any, words: str) -> None:
    with pytest.raises(BadCurve, match=words):
        from_json(value)
