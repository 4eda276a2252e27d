"""Where sigmas and strengths are in a lane: a cell per step across, as on the timeline, and strengths up."""

import math
from collections.abc import Iterable

import numpy as np
from PySide6.QtCore import QPointF, QRectF

from catalog.curve import Curve, Point
from catalog.sigma_axis import SigmaAxis

LEAST, MOST = -1.0, 2.0
"""What a lane shows at least."""


class Ruler:
    """Measures a lane that fills `area`. A step's sigma is in the middle of its cell; sigma 1 is left of
    the first one and 0 right of the last.
    """

    def __init__(self, axis: SigmaAxis, area: QRectF, reach: tuple[float, float] = (LEAST, MOST)) -> None:
        self.axis, self.area, self.reach = axis, area, reach
        places = [(step + 0.5) / axis.steps for step in range(axis.steps)]
        nodes = [(0.0, 1.0)] if axis.sigmas[0] < 1 else []
        nodes += [*zip(places, axis.sigmas, strict=True), (1.0, 0.0)]
        self._places, self._sigmas = (np.array(column) for column in zip(*nodes, strict=True))

    def x_of(self, sigma: float) -> float:
        """The place of a sigma."""
        part = float(np.interp(sigma, self._sigmas[::-1], self._places[::-1]))
        return self.area.left() + part * self.area.width()

    def sigma_at(self, x: float) -> float:
        """The sigma at a place."""
        part = (x - self.area.left()) / self.area.width()
        return float(np.interp(part, self._places, self._sigmas))

    def y_of(self, strength: float) -> float:
        """The height of a strength."""
        least, most = self.reach
        return self.area.bottom() - (strength - least) / (most - least) * self.area.height()

    def strength_at(self, y: float) -> float:
        """The strength at a height, also above and below the lane."""
        least, most = self.reach
        return least + (self.area.bottom() - y) / self.area.height() * (most - least)

    def step_at(self, x: float) -> int:
        """The step whose cell a place is in."""
        part = (x - self.area.left()) / self.area.width()
        return min(max(int(part * self.axis.steps), 0), self.axis.steps - 1)

    @property
    def cell(self) -> float:
        """How wide a step is."""
        return self.area.width() / self.axis.steps

    def place(self, point: Point) -> QPointF:
        """Where a point is."""
        return QPointF(self.x_of(point.sigma), self.y_of(point.strength))

    def outline(self, curve: Curve, least: float, most: float) -> list[QPointF]:
        """The curve drawn from `most` sigma to `least`: straight over sigma is bent over steps."""
        start, end = self.x_of(most), self.x_of(least)
        line = [QPointF(start, self.y_of(curve.points[0].strength)), self.place(curve.points[0])]
        for before, after in zip(curve.points, curve.points[1:], strict=False):
            line += self._between(curve, before, after)
            line.append(self.place(after))
        return [*line, QPointF(end, self.y_of(curve.points[-1].strength))]

    def _between(self, curve: Curve, before: Point, after: Point) -> list[QPointF]:
        left, right = self.x_of(before.sigma), self.x_of(after.sigma)
        if before.is_held:
            return [QPointF(right, self.y_of(before.strength))]
        count = int((right - left) / 3)
        places = [left + (right - left) * (i + 1) / (count + 1) for i in range(count)]
        return [QPointF(x, self.y_of(curve.at(self.sigma_at(x)))) for x in places]


def reach_of(strengths: Iterable[float]) -> tuple[float, float]:
    """The least and the most strength that a lane must show, whole numbers."""
    said = list(strengths)
    return min(LEAST, *map(math.floor, said), LEAST), max(MOST, *map(math.ceil, said), MOST)
