"""Coverage for JSON: every key of it for programs, and few values for the recipe inside a clip."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from catalog.coverage import Coverage, Share

MOST_REASONS = 20
MOST_ERRORS = 50
REST = "for other reasons"


def listed(coverage: Coverage) -> dict[str, Any]:
    """All of it: layers `applied` `of` those spoken of, and each key that does nothing with its reason."""
    return {
        "applied": coverage.modules,
        "of": coverage.of,
        "experts": list(coverage.experts),
        "ignored": [{"key": key, "reason": reason} for key, reason in coverage.ignored],
        "errors": [{"module": module, "reason": reason} for module, reason in coverage.errors],
        "blocks": _shares(coverage.blocks),
        "layers": _shares(coverage.layers),
        "warnings": list(coverage.warnings),
    }


def summary(coverage: Coverage) -> dict[str, Any]:
    """What fits into a clip: the same without the shares, keys counted by reason."""
    return {
        "applied": coverage.modules,
        "of": coverage.of,
        "experts": list(coverage.experts),
        "ignored": _by_reason(reason for _, reason in coverage.ignored),
        "errors": [{"module": module, "reason": reason} for module, reason in coverage.errors[:MOST_ERRORS]],
        "warnings": list(coverage.warnings[:MOST_REASONS]),
    }


def _shares(shares: Iterable[Share]) -> dict[str, Mapping[str, int]]:
    return {share.name: {"applied": share.applied, "of": share.of} for share in shares}


def _by_reason(reasons: Iterable[str]) -> dict[str, int]:
    """How often each reason stands, the most frequent first; many rare ones together."""
    counts = Counter(reasons)
    said = dict(counts.most_common(MOST_REASONS))
    rest = counts.total() - sum(said.values())
    return said | {REST: rest} if rest else said
