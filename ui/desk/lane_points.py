"""The points of a strip's curves as a lane has them: which is selected, and what is done to it."""

from collections.abc import Callable

from catalog.curve import Curve, Point
from catalog.models import Expert
from catalog.sigma_axis import SigmaAxis
from ui.desk.lane_edit import added, moved, shown, step_beside
from ui.state.automation import Automation
from ui.state.mix import MixState
from ui.state.strip import StripState

Selected = tuple[Expert, int]


class LanePoints:
    """Edits the curves of one strip of a MixState; the points are those on the axis of the next run.

    All but `move` are gestures of their own: a drag or a key press begins one and moves as often as it likes.
    """

    def __init__(self, id: str, mix: MixState, automation: Automation) -> None:
        self.id, self._mix, self._automation = id, mix, automation
        self.selected: Selected | None = None

    @property
    def strip(self) -> StripState:
        """The strip as it is."""
        strip = self._mix.strip(self.id)
        assert strip is not None
        return strip

    @property
    def axis(self) -> SigmaAxis:
        """The axis that the points are on."""
        return self._automation.axis

    @property
    def experts(self) -> tuple[Expert, ...]:
        """Whose curves there are."""
        return self._mix.experts

    @property
    def point(self) -> Point | None:
        """The selected point."""
        curve = self.curve(self.selected[0]) if self.selected else None
        return curve.points[self.selected[1]] if curve and self.selected else None

    def curve(self, expert: Expert) -> Curve | None:
        """The part of an expert's curve that is on the axis."""
        curve = self.strip.curve(expert)
        return None if curve is None else shown(curve, self.axis, expert)

    def curves(self) -> dict[Expert, Curve]:
        """The curves that there are."""
        return {expert: curve for expert in self.experts if (curve := self.curve(expert))}

    def all(self) -> list[tuple[Selected, Point]]:
        """Every point, from the first sigma to the last."""
        found: list[tuple[Selected, Point]] = []
        for expert, curve in self.curves().items():
            found += [((expert, index), point) for index, point in enumerate(curve.points)]
        return found

    def strengths(self) -> list[float]:
        """Every strength that a lane shows: points, faders, and what was played."""
        found = [point.strength for _, point in self.all()]
        found += [self.strip.strength(expert) for expert in self.experts]
        return found + [step.strength for step in self._automation.played(self.id)]

    def readout(self) -> str:
        """The selected point in words."""
        point = self.point
        if point is None or self.selected is None:
            return ""
        expert, index = self.selected
        which = f"{expert.upper()} " if len(self.experts) > 1 else ""
        count = len(self.curves()[expert].points)
        strength = f"{point.strength:+.2f}".replace("-", "−")
        shape = "held" if point.is_held else "line"
        return f"{which}{index + 1} of {count} · σ {point.sigma:.3f} · {strength} · {shape}"

    # Selecting

    def check_selection(self) -> None:
        """Let the selection be a point that is there."""
        if self.selected is not None:
            expert, index = self.selected
            curve = self.curves().get(expert)
            self.selected = (expert, min(index, len(curve.points) - 1)) if curve else None

    def step(self, way: int) -> bool:
        """Select the next point (`way` 1) or the one before (-1); False where there is none."""
        places = [place for place, _ in self.all()]
        if self.selected in places:
            at = places.index(self.selected) + way
        else:
            at = 0 if way > 0 else len(places) - 1
        if not 0 <= at < len(places):
            return False
        self.selected = places[at]
        return True

    def expert_at(self, sigma: float) -> Expert:
        """Who is asked at a sigma."""
        axis = self.axis
        if sigma in axis.sigmas:
            return axis.experts[axis.sigmas.index(sigma)]
        return "high" if axis.boundary is None or sigma >= axis.boundary else "low"

    # Changing

    def add(self, sigma: float, strength: float) -> None:
        """Put a point at a sigma, on the curve of the expert that is asked there, and select it."""
        expert = self.expert_at(sigma)
        point = Point(sigma, round(strength, 4) + 0.0)
        curve = added(self.curve(expert), point, self.axis, expert, self.strip.strength(expert))
        self._mix.begin_gesture()
        self._mix.set_curve(self.id, expert, curve)
        self.selected = (expert, [p.sigma for p in curve.points].index(sigma))

    def add_beside(self) -> None:
        """Put a point on the line, at the step after the selected one, or in the middle of the run."""
        sigma: float | None = self.axis.sigmas[self.axis.steps // 2]
        if self.selected is not None and (point := self.point) is not None:
            sigma = step_beside(self.axis, self.selected[0], point.sigma, 1)
        if sigma is not None:
            expert = self.expert_at(sigma)
            curve = self.curve(expert)
            self.add(sigma, curve.at(sigma) if curve else self.strip.strength(expert))

    def remove(self) -> None:
        """Take the selected point out."""
        self._change(lambda curve, index: curve.without(index))

    def toggle_held(self) -> None:
        """Hold the strength of the selected point until the next one, or draw a line there."""

        def toggled(curve: Curve, index: int) -> Curve:
            point = curve.points[index]
            return curve.moved(index, Point(point.sigma, point.strength, not point.is_held))

        self._change(toggled)

    def move(self, sigma: float, strength: float) -> None:
        """Move the selected point, within the gesture that has begun."""
        if self.selected is not None:
            expert, index = self.selected
            curve = moved(self.curves()[expert], index, sigma, strength, self.axis, expert)
            self._mix.set_curve(self.id, expert, curve)

    def _change(self, make: Callable[[Curve, int], Curve | None]) -> None:
        if self.selected is not None:
            expert, index = self.selected
            self._mix.begin_gesture()
            self._mix.set_curve(self.id, expert, make(self.curves()[expert], index))
            self.check_selection()
