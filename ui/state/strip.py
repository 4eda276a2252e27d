"""One strip of the desk as a value: what is played, how strongly, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from engine.messages import Strip

if TYPE_CHECKING:
    from catalog.coverage import Coverage
    from catalog.curve import Curve
    from catalog.library import Entry
    from catalog.models import Expert
    from engine.gauge import Gauge

LIMIT = 100.0
"""Strengths beyond this are a slip of the keyboard, not a wish."""

Status = Literal["attaching", "attached", "refused"]


@dataclass(frozen=True, slots=True)
class StripState:
    """What undo brings back: a file on the desk with its strengths and curves, mute and solo.

    `per_step` comes from a recipe and wins over all until a fader is moved or a curve changed. `by_hand`
    are the experts whose fader was moved since: their curve waits until it is followed again. `group` is the
    id of the accelerator that a strip came with; its strips go together, and other strips' solo leaves them be.
    """

    id: str
    path: Path
    entry: Entry | None = None
    high: float = 1.0
    low: float = 1.0
    per_step: tuple[float, ...] = ()
    is_muted: bool = False
    is_solo: bool = False
    high_curve: Curve | None = None
    low_curve: Curve | None = None
    by_hand: frozenset[Expert] = frozenset()
    group: str = ""

    @property
    def name(self) -> str:
        """The name that is shown."""
        return self.entry.name if self.entry else self.path.stem

    def strength(self, expert: Expert) -> float:
        """Where the fader of `expert` stands."""
        return self.high if expert == "high" else self.low

    def curve(self, expert: Expert) -> Curve | None:
        """The curve of that fader, followed or waiting."""
        return self.high_curve if expert == "high" else self.low_curve

    def followed(self, expert: Expert) -> Curve | None:
        """The curve that plays instead of the fader."""
        return None if expert in self.by_hand else self.curve(expert)

    @property
    def has_curves(self) -> bool:
        """Whether there is a curve for any expert, heard or waiting."""
        return self.high_curve is not None or self.low_curve is not None

    def moved(self, experts: Sequence[Expert], value: float) -> StripState:
        """The strip with these experts' faders at a strength: they take over from curves, which wait."""
        return replace(
            self,
            high=value if "high" in experts else self.high,
            low=value if "low" in experts else self.low,
            per_step=(),
            by_hand=self.by_hand | {e for e in experts if self.curve(e) is not None},
        )

    def is_silent(self, is_any_solo: bool) -> bool:
        """Whether it is muted, or other strips are solo."""
        return self.is_muted or (is_any_solo and not self.is_solo and not self.group)

    def played(self, is_any_solo: bool) -> Strip:
        """What the engine hears: mute and other strips' solo make it 0."""
        if self.is_silent(is_any_solo):
            return Strip(self.id, 0.0, 0.0)
        curves = self.followed("high"), self.followed("low")
        return Strip(self.id, self.high, self.low, self.per_step, *curves)


def any_solo(strips: Iterable[StripState]) -> bool:
    """Whether only some strips are to be heard."""
    return any(strip.is_solo for strip in strips)


@dataclass(frozen=True, slots=True)
class Attachment:
    """What the engine says about a strip's file: on its way, attached with `coverage`, or refused.

    `gauge` has the file's own numbers, where it changes matrices.
    """

    status: Status = "attaching"
    coverage: Coverage | None = None
    reason: str = ""
    sha256: str = ""
    gauge: Gauge | None = None
