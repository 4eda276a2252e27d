"""A curve of strength over a run: points on the sigma axis, joined by lines or held."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from catalog.errors import CatalogError

MOST_POINTS = 1000
MOST_STRENGTH = 1000.0


class BadCurve(CatalogError):
    """Points that make no curve; the sentence says which and what is allowed."""

    advice = "Correct the points and try again."


@dataclass(frozen=True, slots=True)
class Point:
    """The strength at one sigma; a held one keeps it until the next point, else a line leads there."""

    sigma: float
    strength: float
    is_held: bool = False


@dataclass(frozen=True, slots=True)
class Curve:
    """A strength for every sigma. Points go as a run does, from sigma 1 down to 0, never two at one place.

    Before the first point and after the last one their strengths hold. Raises BadCurve.
    """

    points: tuple[Point, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.points) <= MOST_POINTS:
            raise BadCurve(f"A curve has {len(self.points)} points; it must have 1 to {MOST_POINTS}.")
        for index, point in enumerate(self.points):
            _check(index, point)
            if index and not point.sigma < self.points[index - 1].sigma:
                raise BadCurve(
                    f"Point {index + 1} of a curve has sigma {point.sigma:g}; it must be less than the one before."
                )

    def at(self, sigma: float) -> float:
        """The strength at a sigma, also outside of 0 to 1."""
        index = self._index(sigma)
        if index == len(self.points):
            return self.points[-1].strength
        after = self.points[index]
        if index == 0 or after.sigma == sigma:
            return after.strength
        before = self.points[index - 1]
        if before.is_held:
            return before.strength
        part = (before.sigma - sigma) / (before.sigma - after.sigma)
        strength = before.strength + (after.strength - before.strength) * part
        return min(max(strength, min(before.strength, after.strength)), max(before.strength, after.strength))

    def between(self, least: float, most: float) -> "Curve":
        """A curve with no point outside of `least` to `most` sigma, and the same strengths inside."""
        inside = [p for p in self.points if least <= p.sigma <= most]
        first = self._index(most)
        if first and (not inside or inside[0].sigma < most):
            inside.insert(0, Point(most, self.at(most), self.points[first - 1].is_held))
        if self.points[-1].sigma < least and (not inside or inside[-1].sigma > least):
            inside.append(Point(least, self.at(least)))
        return Curve(tuple(inside))

    # Editing: each returns another curve

    def put(self, point: Point) -> "Curve":
        """With one more point, or another one where there is one at the same sigma."""
        others = [p for p in self.points if p.sigma != point.sigma]
        others.insert(sum(p.sigma > point.sigma for p in others), point)
        return Curve(tuple(others))

    def moved(self, index: int, point: Point) -> "Curve":
        """With another point instead of the one at `index`, its neighbours staying its neighbours."""
        return Curve((*self.points[:index], point, *self.points[index + 1 :]))

    def without(self, index: int) -> "Curve | None":
        """With one point less; None when it was the only one."""
        rest = self.points[:index] + self.points[index + 1 :]
        return Curve(rest) if rest else None

    def _index(self, sigma: float) -> int:
        """The place of the first point at this sigma or after it."""
        return bisect_left(self.points, -sigma, key=lambda point: -point.sigma)


def held(sigmas: Sequence[float], strengths: Sequence[float]) -> Curve:
    """The curve that gives each step's strength at its sigma: a point wherever the strength changes.

    A change is put halfway between two steps, where rounding of a sigma cannot move it to another step.
    """
    points = [Point(sigmas[0], strengths[0], True)]
    for index in range(1, len(sigmas)):
        if strengths[index] != points[-1].strength:
            points.append(Point((sigmas[index - 1] + sigmas[index]) / 2, strengths[index], True))
    return Curve(tuple(points))


def to_json(curve: Curve) -> list[list[float | str]]:
    """A list with [sigma, strength] for each point, and "hold" in it where one is held."""
    return [[p.sigma, p.strength, *(["hold"] if p.is_held else [])] for p in curve.points]


def from_json(value: Any) -> Curve:
    """The curve that `to_json` wrote; raises BadCurve."""
    if not isinstance(value, list):
        raise BadCurve("A curve must be a list of points [sigma, strength] or [sigma, strength, “hold”].")
    return Curve(tuple(_point(index, item) for index, item in enumerate(value)))


def _point(index: int, item: Any) -> Point:
    is_pair = isinstance(item, list) and all(type(n) in (int, float) for n in item[:2])
    if not is_pair or item[2:] not in ([], ["hold"]) or len(item) < 2:
        raise BadCurve(
            f"Point {index + 1} of a curve must be [sigma, strength] or [sigma, strength, “hold”]."
        )
    point = Point(item[0], item[1], len(item) == 3)
    _check(index, point)  # before converting: a whole number may be too large for a float
    return replace(point, sigma=float(point.sigma), strength=float(point.strength))


def _check(index: int, point: Point) -> None:
    if not 0 <= point.sigma <= 1:
        raise BadCurve(f"Point {index + 1} of a curve has a sigma that is not from 0 to 1.")
    if not (-MOST_STRENGTH <= point.strength <= MOST_STRENGTH and math.isfinite(point.strength)):
        most = f"{MOST_STRENGTH:g}"
        raise BadCurve(f"Point {index + 1} of a curve has a strength that is not from -{most} to {most}.")
