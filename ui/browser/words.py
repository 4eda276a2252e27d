"""What a card says about an entry, in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from catalog.coverage_words import Tally, sentence
from ui.coverage.gauge_words import file_words

if TYPE_CHECKING:
    from catalog.identify import Identity
    from catalog.library import Entry
    from engine.gauge import FileGauged

Meaning = Literal["text", "secondary", "good", "look", "refused"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One line about a file, and what it means: what it is, proof, good news, a doubt, a refusal."""

    meaning: Meaning
    text: str


def size_words(size: int) -> str:
    """A file size as people say it: 153 MB."""
    if size < 1_000_000:
        return f"{max(1, round(size / 1000))} kB"
    return f"{size / 1e6:.0f} MB" if size < 1e9 else f"{size / 1e9:.1f} GB"


def kind_line(entry: Entry) -> str:
    """Kind, rank and size in one line."""
    parts = []
    if entry.identity:
        rank = entry.identity.rank
        parts.append(" + ".join(entry.identity.kinds))
        parts.append({"": "", "full": "full rank"}.get(rank, f"r{rank}"))
    parts.append(size_words(entry.size))
    return " · ".join(p for p in parts if p.strip())


def what_line(entry: Entry) -> str:
    """What the file is, or why it is nothing."""
    if entry.problem:
        return entry.problem
    return entry.identity.summary if entry.identity else ""


def letters(entry: Entry) -> str:
    """H and L for the experts a file was made for, ! where one should look."""
    if is_suspect(entry):
        return "!"
    identity = entry.identity
    if identity is None:
        return ""
    experts = set(identity.experts) | ({identity.expert_hint} if identity.expert_hint else set())
    return "".join(letter for letter, expert in (("H", "high"), ("L", "low")) if expert in experts)


def is_suspect(entry: Entry) -> bool:
    """Whether the file is unreadable, not for Wan, or not what its name says."""
    identity = entry.identity
    return identity is None or not identity.is_wan or bool(identity.contradictions)


def facts(entry: Entry, coverage: Tally | None = None, gauged: FileGauged | None = None) -> tuple[Fact, ...]:
    """All that is known about an entry, the most important first; `coverage` is that on the loaded model,
    `gauged` what measuring the file alone gave.
    """
    place = str(entry.path) if entry.origin == "library" else f"{entry.path.name} (built in)"
    found = (
        Fact("refused" if entry.problem else "text", what_line(entry)),
        Fact("secondary", kind_line(entry)),
        *((Fact(coverage.tone, sentence(coverage)),) if coverage else ()),
        *((_size_fact(gauged),) if gauged else ()),
        *(_identity_facts(entry.identity) if entry.identity else ()),
        Fact("secondary", place),
    )
    return tuple(fact for fact in found if fact.text)


def _size_fact(said: FileGauged) -> Fact:
    """A file that is far from the usual size should be looked at: it wants another strength."""
    is_far = said.gauge is not None and said.gauge.suggestion is not None
    return Fact("refused" if said.problem else "look" if is_far else "secondary", file_words(said))


def _identity_facts(identity: Identity) -> tuple[Fact, ...]:
    made_for = [identity.family, identity.variant] if identity.is_wan else []
    start = "Made for " if identity.confidence == "certain" else "Probably made for "
    return (
        *(Fact("look", f"! {each}") for each in (*identity.contradictions, *identity.warnings)),
        Fact("text", _listed("Trigger words: ", identity.trigger_words)),
        Fact("text", _listed(start, made_for)),
        Fact("text", _expert_line(identity)),
        *(Fact("secondary", f"Because: {each}") for each in identity.evidence),
        *(Fact("secondary", f"Cannot tell: {each}") for each in identity.cannot_tell),
        Fact("secondary", _listed("Trained with ", [identity.trainer])),
    )


def _listed(start: str, words: Iterable[str]) -> str:
    said = ", ".join(word for word in words if word)
    return start + said if said else ""


def full_text(entry: Entry, coverage: Tally | None = None) -> str:
    """The facts as plain text, one a line."""
    return "\n".join(fact.text for fact in facts(entry, coverage))


def _expert_line(identity: Identity) -> str:
    """Which expert the file is for, and how that is known."""
    if len(identity.experts) == 2:
        return "For both experts, by its tensor names"
    if identity.experts:
        return f"For the {identity.experts[0]}-noise expert, by its tensor names"
    if identity.expert_hint:
        weak = ", a weak sign" if identity.hint_strength == "weak" else ""
        return f"For the {identity.expert_hint}-noise expert, going by its {identity.hint_source}{weak}"
    return ""
