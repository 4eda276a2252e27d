"""The order of the desk's strips, in which those of a group stay together."""

from collections.abc import Sequence

from ui.state.strip import StripState

Strips = tuple[StripState, ...]


def together(strips: Sequence[StripState], strip: StripState) -> Strips:
    """The strips of its group, or the strip alone."""
    return tuple(s for s in strips if s.id == strip.id or (s.group and s.group == strip.group))


def without(strips: Sequence[StripState], strip: StripState) -> Strips:
    """The strips that stay when this one goes, with its group."""
    gone = together(strips, strip)
    return tuple(s for s in strips if s not in gone)


def moved(strips: Sequence[StripState], strip: StripState, index: int) -> Strips:
    """The order with a strip and its group before what is now the `index`-th of the others."""
    block = together(strips, strip)
    others = [s for s in strips if s.id != strip.id]
    before = others[: max(0, index)]
    return _at(strips, strip, len(before) - sum(s in block for s in before))


def stepped(strips: Sequence[StripState], strip: StripState, by: int) -> Strips:
    """The order with a strip and its group one place further down (1) or up (-1)."""
    return _at(strips, strip, max(0, _place(strips, strip) + by))


def _at(strips: Sequence[StripState], strip: StripState, at: int) -> Strips:
    """A block among the others, never inside another group: it goes on in the direction it came."""
    block, others = together(strips, strip), without(strips, strip)
    way = -1 if at < _place(strips, strip) else 1
    while 0 < at < len(others) and others[at].group and others[at].group == others[at - 1].group:
        at += way
    return (*others[:at], *block, *others[at:])


def _place(strips: Sequence[StripState], strip: StripState) -> int:
    """How many of the others are above a strip's block."""
    block = together(strips, strip)
    return list(strips).index(block[0])
