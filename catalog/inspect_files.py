"""`inspect`: says what LoRA files are, in words or as JSON."""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TextIO

from catalog.errors import CatalogError, UnreadableFile
from catalog.header import Header, read_header, read_scalars
from catalog.identify import Identity, identify, scalar_names
from catalog.scan import hash_file

FINE, BAD_INPUT = 0, 2


def main(paths: Sequence[str | Path], as_json: bool) -> int:
    """Writes about each file to stdout (with `as_json` one JSON object a line); 2 when one is unreadable."""
    code = FINE
    for path in map(Path, paths):
        try:
            text = _as_json(path) if as_json else _in_words(path)
        except CatalogError as error:
            _write(sys.stderr, f"{_plain(path)}: {error}")
            code = BAD_INPUT
        else:
            _write(sys.stdout, text)
    return code


def report(path: Path) -> dict[str, Any]:
    """All that is known about a file, as `inspect --json` says it."""
    header, identity = _look(path)
    try:
        sha256 = hash_file(path)
    except OSError as error:
        raise UnreadableFile(f"The file cannot be read: {error.strerror}.") from error
    return {
        "path": str(path),
        "sha256": sha256,
        "size": header.size,
        "family": identity.family,
        "variant": identity.variant,
        "confidence": identity.confidence,
        "summary": identity.summary,
        "evidence": list(identity.evidence),
        "cannot_tell": list(identity.cannot_tell),
        "contradictions": list(identity.contradictions),
        "expert": _expert(identity),
        "kinds": dict(identity.kind_counts),
        "dialect": identity.dialect,
        "rank": dict(identity.ranks),
        "alpha": dict(identity.alphas),
        "dtype": identity.dtype,
        "modules": identity.modules,
        "parameters": identity.parameters,
        "width": identity.width,
        "trigger_words": list(identity.trigger_words),
        "trainer": identity.trainer,
        "metadata": dict(header.metadata),
        "warnings": list(identity.warnings),
    }


def _look(path: Path) -> tuple[Header, Identity]:
    header = read_header(path)
    scalars = read_scalars(path, header, scalar_names(header))
    return header, identify(header, path.name, scalars)


def _expert(identity: Identity) -> dict[str, str | None]:
    if len(identity.experts) == 2:
        return {"hint": "both", "source": "tensor names"}
    if identity.experts:
        return {"hint": identity.experts[0], "source": "tensor names"}
    return {"hint": identity.expert_hint, "source": identity.hint_source}


def _as_json(path: Path) -> str:
    # ASCII, so that no terminal's encoding can fail on it
    return json.dumps(report(path), ensure_ascii=True)


def _in_words(path: Path) -> str:
    _, identity = _look(path)
    lines = [_plain(path), f"  {identity.summary}"]
    for name, value in _rows(identity):
        lines += [f"  {name:<15}{_plain(value)}"] if value else []
    for name, sentences in (
        ("because", identity.evidence),
        ("cannot tell", identity.cannot_tell),
        ("but", identity.contradictions),
        ("note", identity.warnings),
    ):
        lines += [f"  {name:<15}{_plain(sentence)}" for sentence in sentences]
    return "\n".join(lines)


def _rows(identity: Identity) -> Iterable[tuple[str, str]]:
    variant = f", {identity.variant}" if identity.variant else ""
    expert = _expert(identity)
    return (
        ("made for", identity.family + variant),
        ("kinds", ", ".join(f"{kind} ({count} layers)" for kind, count in identity.kind_counts.items())),
        ("dialect", identity.dialect),
        ("rank", _histogram(identity.rank, identity.ranks.items())),
        ("alpha", _histogram(identity.alpha, identity.alphas.items()) or "none (scale 1)" * identity.is_wan),
        ("number type", identity.dtype),
        ("target layers", str(identity.modules)),
        ("parameters", f"{identity.parameters:,}"),
        ("expert", f"{expert['hint']} ({expert['source']})" if expert["hint"] else ""),
        ("trigger words", ", ".join(identity.trigger_words)),
        ("trainer", identity.trainer),
    )


def _histogram(words: str, counts: Iterable[tuple[str, int]]) -> str:
    several = [f"{value} × {count}" for value, count in counts]
    return f"{words} ({', '.join(several)})" if len(several) > 1 else words


def _write(stream: TextIO, text: str) -> None:
    # a terminal may not have every character of a file's name
    encoding = stream.encoding or "utf-8"
    stream.write(f"{text}\n".encode(encoding, "replace").decode(encoding))
    stream.flush()


def _plain(value: object) -> str:
    """Text without characters that could take over a terminal."""
    return "".join(c if c.isprintable() else "�" for c in str(value))
