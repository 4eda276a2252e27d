"""What a hand does to a curve on a lane: points put, moved and taken out, kept on the steps and in order."""

from dataclasses import replace

from catalog.curve import Curve, Point
from catalog.models import Expert
from catalog.sigma_axis import SigmaAxis

REACH = 2.0
"""Hands move strengths within this, as on a fader; what is beyond it already may stay."""


def shown(curve: Curve, axis: SigmaAxis, expert: Expert) -> Curve:
    """The part of a curve that its expert can be asked for."""
    return curve.between(*axis.zone(expert))


def added(curve: Curve | None, point: Point, axis: SigmaAxis, expert: Expert, fader: float) -> Curve:
    """With one more point. The first one pulls at the line that the fader makes, between its ends."""
    if curve is None:
        steps = axis.steps_of(expert)
        ends = [axis.sigmas[step] for step in dict.fromkeys((*steps[:1], *steps[-1:]))]
        curve = Curve(tuple(Point(sigma, fader) for sigma in ends)) if ends else Curve((point,))
    before = next((p for p in reversed(curve.points) if p.sigma > point.sigma), None)
    is_held = before is not None and before.is_held
    return curve.put(replace(point, is_held=is_held))


def moved(curve: Curve, index: int, sigma: float, strength: float, axis: SigmaAxis, expert: Expert) -> Curve:
    """With a point elsewhere, as near to `sigma` as its neighbours and its expert let it."""
    point = curve.points[index]
    least, most = room(curve, index, axis, expert)
    most_strength, least_strength = max(REACH, point.strength), min(-REACH, point.strength)
    strength = round(min(max(strength, least_strength), most_strength), 4) + 0.0
    if not least <= sigma <= most:
        sigma = point.sigma
    return curve.moved(index, replace(point, sigma=sigma, strength=strength))


def room(curve: Curve, index: int, axis: SigmaAxis, expert: Expert) -> tuple[float, float]:
    """The least and the most sigma that a point may have; a little keeps it from its neighbours."""
    least, most = axis.zone(expert)
    sigma = curve.points[index].sigma
    if index + 1 < len(curve.points):
        least = min(curve.points[index + 1].sigma + 1e-5, sigma)
    if index:
        most = max(curve.points[index - 1].sigma - 1e-5, sigma)
    return least, most


def nearest_step(axis: SigmaAxis, expert: Expert, sigma: float, least: float, most: float) -> float | None:
    """The sigma of the expert's step that is nearest, among those from `least` to `most`."""
    steps = [axis.sigmas[step] for step in axis.steps_of(expert) if least <= axis.sigmas[step] <= most]
    return min(steps, key=lambda own: abs(own - sigma), default=None)


def step_beside(axis: SigmaAxis, expert: Expert, sigma: float, way: int) -> float | None:
    """The sigma of the expert's next step (`way` 1) or of the one before (-1)."""
    steps = [axis.sigmas[step] for step in axis.steps_of(expert)]
    if way > 0:
        return max((own for own in steps if own < sigma), default=None)
    return min((own for own in steps if own > sigma), default=None)
