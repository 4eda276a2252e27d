"""What `inspect --model` says of a file on a model: for programs, and in words."""

from collections.abc import Iterator
from typing import Any

from catalog.coverage import Cover
from catalog.coverage_summary import listed
from catalog.coverage_words import Group, block_words, groups, sentence, tally

_MOST_GROUPS = 6


def coverage_fields(cover: Cover) -> dict[str, Any]:
    """The coverage as `inspect --json` says it."""
    return listed(cover.coverage) | {"refusal": cover.refusal}


def coverage_rows(model: str, cover: Cover) -> Iterator[tuple[str, str]]:
    """The coverage as rows of a name and a few words; names that share a reason are told together."""
    found = cover.coverage
    yield "coverage", f"{model}: {sentence(tally(found, cover.refusal))}"
    if found.modules:
        yield "experts", " and ".join(found.experts)
        yield "blocks", block_words(found.blocks)
    for name, pairs in (("ignored", found.ignored), ("in error", found.errors)):
        grouped = groups(pairs)
        for group in grouped[:_MOST_GROUPS]:
            yield name, _words(group)
        if len(grouped) > _MOST_GROUPS:
            yield name, f"… and {len(grouped) - _MOST_GROUPS} more reasons; --json lists them all"


def _words(group: Group) -> str:
    first = group.patterns[0][0]
    more = f" and {len(group.patterns) - 1} more" if len(group.patterns) > 1 else ""
    return f"{group.count} × {group.reason}: {first}{more}"
