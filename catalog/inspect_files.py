"""`inspect`: says what LoRA files are and how much of them applies to a model, in words or as JSON."""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TextIO

from catalog.contents import DOES_NOTHING, Contents, damage, does_nothing, look_inside
from catalog.coverage import Cover, cover
from catalog.errors import CatalogError, ExpectedError
from catalog.experts import Expert
from catalog.header import Header, read_header, read_scalars
from catalog.hints import TENSOR_NAMES
from catalog.identify import Identity, identify, scalar_names
from catalog.identity_words import layers
from catalog.inspect_coverage import coverage_fields, coverage_rows
from catalog.inventory import Inventory
from catalog.model_layers import layers_of
from catalog.models import find_model
from catalog.plain_text import plain
from catalog.scan import named
from catalog.sidecar import base_model

FINE, BAD_INPUT = 0, 2


@dataclass(frozen=True, slots=True)
class Target:
    """A model that files are laid over: its name, and the layers of its experts."""

    name: str
    layers: Mapping[Expert, Inventory]


class More(Protocol):
    """Something else to say about a file; raises ExpectedError."""

    def fields(self, path: Path) -> dict[str, Any]:
        """For the JSON object."""

    def rows(self, path: Path) -> list[tuple[str, str]]:
        """Names and what they are, in words."""


def main(paths: Sequence[str | Path], as_json: bool, model: str = "", more: More | None = None) -> int:
    """Writes about each file to stdout (with `as_json` one JSON object a line), how much of it applies to
    `model` where one is named, and what `more` has to say; 2 when a file or the model cannot be read.
    """
    try:
        target = _target(model) if model else None
    except CatalogError as error:
        _write(sys.stderr, f"{plain(model)}: {error} {error.advice}".rstrip())
        return BAD_INPUT
    code = FINE
    for path in map(Path, paths):
        try:
            text = _as_json(path, target, more) if as_json else _in_words(path, target, more)
        except ExpectedError as error:
            _write(sys.stderr, f"{plain(path)}: {error}")
            code = BAD_INPUT
        else:
            _write(sys.stdout, text)
    return code


def _target(model: str) -> Target:
    info = find_model(model)
    return Target(info.title, layers_of(info))


def report(path: Path, target: Target | None = None) -> dict[str, Any]:
    """All that is known about a file, as `inspect --json` says it; `coverage` is there with a model only."""
    header, identity = _look(path)
    contents = look_inside(path, header)
    said: dict[str, Any] = {
        "path": str(path),
        "sha256": contents.sha256,
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
        "dtype": dict(Counter(info.dtype for info in header.tensors.values()).most_common()),
        "modules": identity.modules,
        "parameters": identity.parameters,
        "width": identity.width,
        "trigger_words": list(identity.trigger_words),
        "trainer": identity.trainer,
        "metadata": dict(header.metadata),
        "warnings": [*identity.warnings, *_inside(header, contents)],
    }
    if target is not None:
        found = _cover(header, target, contents)
        said["coverage"] = {"model": target.name} | coverage_fields(found)
    return said


def _inside(header: Header, contents: Contents) -> Iterable[str]:
    """What the numbers say against the file."""
    if damage(contents):
        yield damage(contents)
    elif does_nothing(header, contents):
        yield DOES_NOTHING


def _cover(header: Header, target: Target, contents: Contents) -> Cover:
    """As the engine would take it: damaged numbers refuse the file."""
    found = cover(header, target.layers)
    damaged = damage(contents)
    return found.refused(damaged) if damaged else found


def _look(path: Path) -> tuple[Header, Identity]:
    header = read_header(path)
    scalars = read_scalars(path, header, scalar_names(header))
    return header, identify(header, named(path), scalars, base_model(path))


def _expert(identity: Identity) -> dict[str, str | None]:
    strength: dict[str, str | None] = {"strength": identity.hint_strength}
    if len(identity.experts) == 2:
        return {"hint": "both", "source": TENSOR_NAMES} | strength
    if identity.experts:
        return {"hint": identity.experts[0], "source": TENSOR_NAMES} | strength
    return {"hint": identity.expert_hint, "source": identity.hint_source} | strength


def _as_json(path: Path, target: Target | None, more: More | None) -> str:
    # ASCII, so that no terminal's encoding can fail on it
    return json.dumps(report(path, target) | (more.fields(path) if more else {}), ensure_ascii=True)


def _in_words(path: Path, target: Target | None, more: More | None) -> str:
    header, identity = _look(path)
    contents = look_inside(path, header)
    rows = [*_rows(identity), *_sentences(identity)]
    rows += [("note", sentence) for sentence in _inside(header, contents)]
    if target is not None:
        rows += coverage_rows(target.name, _cover(header, target, contents))
    rows += more.rows(path) if more else []
    lines = [plain(path), f"  {identity.summary}"]
    lines += [f"  {plain(name):<15} {plain(value)}" for name, value in rows if value]
    return "\n".join(lines)


def _sentences(identity: Identity) -> Iterable[tuple[str, str]]:
    for name, sentences in (
        ("because", identity.evidence),
        ("cannot tell", identity.cannot_tell),
        ("but", identity.contradictions),
        ("note", identity.warnings),
    ):
        yield from ((name, sentence) for sentence in sentences)


def _rows(identity: Identity) -> Iterable[tuple[str, str]]:
    variant = f", {identity.variant}" if identity.variant else ""
    expert = _expert(identity)
    return (
        ("made for", identity.family + variant),
        ("kinds", ", ".join(f"{kind} ({layers(n)})" for kind, n in identity.kind_counts.items())),
        ("dialect", identity.dialect),
        ("rank", _histogram(identity.rank, identity.ranks.items())),
        ("alpha", _histogram(identity.alpha, identity.alphas.items()) or "none (scale 1)" * identity.is_wan),
        ("number type", identity.dtype),
        ("target layers", str(identity.modules)),
        ("parameters", f"{identity.parameters:,}"),
        ("expert", f"{expert['hint']} ({expert['source']}, {expert['strength']})" if expert["hint"] else ""),
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
