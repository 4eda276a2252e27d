"""Coverage as few values, for a clip's recipe and for programs: counts by reason instead of every key."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from catalog.coverage import Coverage

MOST_REASONS = 20
REST = "for other reasons"


def summary(coverage: Coverage) -> dict[str, Any]:
    """As JSON writes it: layers applied `of` those spoken of, `ignored` keys and layers in error by reason."""
    return {
        "modules": coverage.modules,
        "of": coverage.of,
        "experts": list(coverage.experts),
        "ignored": _by_reason(reason for _, reason in coverage.ignored),
        "errors": _by_reason(reason for _, reason in coverage.errors),
        "warnings": list(coverage.warnings[:MOST_REASONS]),
    }


def _by_reason(reasons: Iterable[str]) -> dict[str, int]:
    """How often each reason stands, the most frequent first; many rare ones together."""
    counts = Counter(reasons)
    said = dict(counts.most_common(MOST_REASONS))
    rest = counts.total() - sum(said.values())
    return said | {REST: rest} if rest else said
