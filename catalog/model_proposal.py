"""From files that somebody picked to a model: which file is which part, what is missing, what to confirm."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from catalog.checkpoints import Checkpoint
from catalog.errors import CatalogError
from catalog.model_parts import PARTS, TOKENIZER_FILE, Part, examine, spoken, where_to_get
from catalog.model_table import OTHER, ModelEntry, entry

_Found = tuple[Path, Checkpoint]


@dataclass(frozen=True, slots=True)
class Missing:
    """A part that the model still needs: how to call it, and where it can be had."""

    part: Part
    name: str
    advice: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A model of these files. `rows` are the models that they may be, the likeliest first; empty without a
    transformer. `to_confirm` are sentences about what only a name suggests; `refused` says of the files
    that are no part of it why.
    """

    rows: tuple[ModelEntry, ...]
    parts: Mapping[Part, Path]
    missing: tuple[Missing, ...]
    to_confirm: tuple[str, ...]
    refused: tuple[tuple[Path, str], ...]


def propose(paths: Sequence[Path]) -> Proposal:
    """What the files, and the folders of diffusers' parts among them, make together."""
    parts: dict[Part, Path] = {}
    transformers: list[_Found] = []
    refused: list[tuple[Path, str]] = []
    for path in dict.fromkeys(paths):
        if _is_tokenizer(path):
            _take(parts, "tokenizer", path, refused)
            continue
        try:
            found = examine(path)
        except CatalogError as error:
            refused.append((path, str(error)))
            continue
        if found.refusal:
            refused.append((path, found.refusal))
        elif found.role == "transformer":
            transformers.append((path, found))
        else:
            _take(parts, "vae" if found.role == "vae" else "text_encoder", path, refused)
    refused += [(path, "A model has two transformers at the most.") for path, _ in transformers[2:]]
    return _proposal(parts, transformers[:2], refused)


def _take(parts: dict[Part, Path], part: Part, path: Path, refused: list[tuple[Path, str]]) -> None:
    if part in parts:
        refused.append((path, f"{parts[part].name} already is {spoken(part, 2)}."))
    else:
        parts[part] = path


def _proposal(
    others: Mapping[Part, Path], transformers: list[_Found], refused: list[tuple[Path, str]]
) -> Proposal:
    rows = _rows(transformers)
    experts, to_confirm = _experts(transformers, rows)
    parts: dict[Part, Path] = {**experts, **others}
    if len(rows) > 1:
        titles = ", ".join(row.title for row in rows[1:])
        to_confirm.append(f"The tensors fit {rows[0].title}, but also {titles}.")
    return Proposal(
        rows=rows,
        parts={part: parts[part] for part in PARTS if part in parts},
        missing=tuple(_missing(parts, rows)) if rows else (),
        to_confirm=tuple(to_confirm),
        refused=tuple(refused),
    )


def _rows(transformers: list[_Found]) -> tuple[ModelEntry, ...]:
    """The models of which all these may be experts; two transformers make no model of one."""
    if not transformers:
        return ()
    known = [row for name in transformers[0][1].models if (row := entry(name)) is not None]
    common = [row for row in known if all(row.id in found.models for _, found in transformers)]
    fitting = [row for row in common if len(transformers) <= row.experts]
    other = entry(OTHER)
    assert other is not None
    return tuple(fitting) or (other,)


def _experts(transformers: list[_Found], rows: tuple[ModelEntry, ...]) -> tuple[dict[Part, Path], list[str]]:
    """Which transformer is which expert, and what has to be confirmed of it."""
    if not transformers:
        return {}, []
    if len(transformers) == 1:
        path, found = transformers[0]
        is_low = rows[0].experts == 2 and found.expert_hint == "low"
        return {"low" if is_low else "high": path}, _hinted(transformers) if rows[0].experts == 2 else []
    (first, one), (second, two) = transformers
    if one.expert_hint == two.expert_hint:
        said = f"is {first.name} the expert for high noise, and {second.name} the one for low noise?"
        return {"high": first, "low": second}, [f"Their names do not tell the experts apart: {said}"]
    if one.expert_hint == "low" or two.expert_hint == "high":
        first, second = second, first
    return {"high": first, "low": second}, _hinted(transformers)


def _hinted(transformers: Iterable[_Found]) -> list[str]:
    return [
        f"{path.name} is for {found.expert_hint} noise, by its {found.hint_source}."
        for path, found in transformers
        if found.expert_hint
    ]


def _missing(parts: Mapping[Part, Path], rows: tuple[ModelEntry, ...]) -> Iterable[Missing]:
    row = rows[0]
    experts = max(row.experts, 2 if "low" in parts else 1)
    for part in PARTS:
        if part not in parts and not (part == "low" and experts == 1):
            yield Missing(part, spoken(part, experts), where_to_get(part, row))


def _is_tokenizer(path: Path) -> bool:
    return path.name == TOKENIZER_FILE or (path / TOKENIZER_FILE).is_file()
