"""Coverage in words: one line for a card, one sentence, reasons with the keys they hold for, all as text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from catalog.plain_text import short_name

if TYPE_CHECKING:
    from catalog.coverage import Coverage, Share

Tone = Literal["good", "look", "refused"]

_NUMBER = re.compile(r"(?<=[._])[0-9]{1,9}(?=[._]|$)")
_MOST_RANGES = 4


@dataclass(frozen=True, slots=True)
class Tally:
    """Coverage as counts: `modules` of `of` layers apply, `ignored` keys do nothing, `errors` layers cannot
    be applied, `warnings` sentences say more. `refusal` says why none of the file can be used, "" when it can.
    """

    modules: int
    of: int
    ignored: int = 0
    errors: int = 0
    warnings: int = 0
    refusal: str = ""

    @property
    def tone(self) -> Tone:
        """Whether all is well, one should look, or nothing of it can be used."""
        if self.refusal or not self.modules:
            return "refused"
        is_whole = self.modules == self.of and not self.ignored + self.errors + self.warnings
        return "good" if is_whole else "look"


@dataclass(frozen=True, slots=True)
class Group:
    """Names that share a reason: `count` of them, told by `patterns` with how many each stands for."""

    reason: str
    count: int
    patterns: tuple[tuple[str, int], ...]


def tally(coverage: Coverage, refusal: str = "") -> Tally:
    """The counts of a coverage."""
    counts = len(coverage.ignored), len(coverage.errors), len(coverage.warnings)
    return Tally(coverage.modules, coverage.of, *counts, refusal)


def short(count: Tally) -> str:
    """A few words, for a card: “60 of 60 layers”, “48 of 60 · look”, “not for this model”."""
    if count.tone == "refused":
        return "not for this model"
    return (
        f"{count.modules} of {_counted(count.of, 'layer') if count.tone == 'good' else f'{count.of} · look'}"
    )


def shortest(count: Tally) -> str:
    """Fewer words, for a strip: “60/60”, “48/60 !”."""
    if count.tone == "refused":
        return "refused"
    return f"{count.modules}/{count.of}{'' if count.tone == 'good' else ' !'}"


def sentence(count: Tally) -> str:
    """All counts in one sentence, or why nothing of the file can be used."""
    if count.refusal:
        return count.refusal
    rest = []
    if count.ignored:
        rest.append(f"{_counted(count.ignored, 'key')} of the file {_verb(count.ignored, 'do')} nothing here")
    if count.errors:
        rest.append(f"{_counted(count.errors, 'layer')} cannot be applied")
    return "; ".join([_applied(count), " and ".join(rest)] if rest else [_applied(count)]) + "."


def remark(coverage: Coverage) -> str:
    """What should be said about it, with the most frequent reason; "" when all is well."""
    count = tally(coverage)
    if count.tone == "good":
        return ""
    if reasons := [*groups(coverage.errors), *groups(coverage.ignored)]:
        return f"{sentence(count).removesuffix('.')}: {reasons[0].reason}"
    return " ".join([sentence(count), *coverage.warnings[:1]])


def groups(pairs: Iterable[tuple[str, str]]) -> tuple[Group, ...]:
    """(name, reason) pairs by their reason, the most frequent first."""
    found: dict[str, list[str]] = {}
    for name, reason in pairs:
        found.setdefault(reason, []).append(name)
    made = (Group(reason, len(names), patterns(names)) for reason, names in found.items())
    return tuple(sorted(made, key=lambda group: -group.count))


def patterns(names: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """Names that differ only in their numbers as one: blocks.{0–39}.attn1.to_q, and how many it stands for."""
    rows: dict[tuple[str, ...], list[tuple[int, ...]]] = {}
    for name in names:
        numbers = tuple(int(number) for number in _NUMBER.findall(name))
        rows.setdefault(tuple(_NUMBER.split(name)), []).append(numbers)
    return tuple((short_name(_filled(pieces, found)), len(found)) for pieces, found in rows.items())


def ranges(numbers: Iterable[int]) -> str:
    """Numbers in words: 0–3, 7, 9–12."""
    values = sorted(set(numbers))
    breaks = [0, *(i + 1 for i, (a, b) in enumerate(pairwise(values)) if b != a + 1), len(values)]
    runs = [values[start:end] for start, end in pairwise(breaks)]
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs if run)


def block_words(blocks: Sequence[Share]) -> str:
    """Which blocks apply whole, in part or not at all: “0–29 whole · 30 in part · 31–39 not at all”."""
    parts = []
    for stem, prefix in (("blocks", ""), ("vace_blocks", "VACE ")):
        own = [share for share in blocks if share.name.rpartition(".")[0] == stem]
        for words, is_meant in (("whole", _is_whole), ("in part", _is_partial), ("not at all", _is_nothing)):
            numbers = [int(share.name.rpartition(".")[2]) for share in own if is_meant(share)]
            parts += [f"{prefix}{ranges(numbers)} {words}"] if numbers else []
    others = [share for share in blocks if share.name == "other"]
    parts += [f"{share.applied} of {share.of} outside the blocks" for share in others]
    return " · ".join(parts)


def full_text(name: str, model: str, coverage: Coverage, refusal: str = "") -> str:
    """Everything, every key by its name: what “Copy” copies."""
    lines = [f"{name} on {model}", sentence(tally(coverage, refusal)), *coverage.warnings]
    lines += [f"Blocks: {words}"] if (words := block_words(coverage.blocks)) else []
    lines += _section("Kinds of layer", (f"{s.name}: {s.applied} of {s.of}" for s in coverage.layers))
    lines += _section("Keys that do nothing here", (f"{key}: {why}" for key, why in coverage.ignored))
    lines += _section("Layers that cannot be applied", (f"{name}: {why}" for name, why in coverage.errors))
    return "\n".join(lines) + "\n"


def _section(title: str, rows: Iterable[str]) -> list[str]:
    listed = [f"  {row}" for row in rows]
    return ["", title, *listed] if listed else []


def _applied(count: Tally) -> str:
    if count.modules == count.of:
        return "Its one layer applies" if count.of == 1 else f"All {count.of} layers apply"
    return f"{count.modules} of {_counted(count.of, 'layer')} {_verb(count.modules, 'apply')}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _verb(count: int, verb: str) -> str:
    return verb if count != 1 else {"do": "does", "apply": "applies"}[verb]


def _is_whole(share: Share) -> bool:
    return share.applied == share.of


def _is_nothing(share: Share) -> bool:
    return share.applied == 0


def _is_partial(share: Share) -> bool:
    return 0 < share.applied < share.of


def _filled(pieces: Sequence[str], rows: Sequence[tuple[int, ...]]) -> str:
    values = [_value(column) for column in zip(*rows, strict=True)]
    return "".join(piece + value for piece, value in zip(pieces, [*values, ""], strict=True))


def _value(numbers: Iterable[int]) -> str:
    values = sorted(set(numbers))
    if len(values) == 1:
        return str(values[0])
    said = ranges(values)
    return f"{{{said}}}" if said.count(",") < _MOST_RANGES else f"{{{values[0]}…{values[-1]}}}"
