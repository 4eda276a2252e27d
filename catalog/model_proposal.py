"""From files that somebody picked to a model: which file is which part, what is missing, what to confirm."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from catalog.checkpoints import Checkpoint
from catalog.errors import CatalogError
from catalog.experts import Expert
from catalog.model_parts import Part, check_together, spoken, wanted_parts, where_to_get
from catalog.model_table import OTHER, ModelEntry, entry
from catalog.part_files import PartFile, Role

Roles = Mapping[Path, Role]


@dataclass(frozen=True, slots=True)
class Missing:
    """A part that the model still needs: how to call it, and where it can be had."""

    part: Part
    name: str
    advice: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A model of these files. `rows` are the models that they may be, the chosen one or the likeliest first;
    empty without a transformer. `problem` is a sentence why they make none yet, "" when they do.
    """

    rows: tuple[ModelEntry, ...] = ()
    parts: Mapping[Part, Path] | None = None
    missing: tuple[Missing, ...] = ()
    problem: str = ""
    advice: str = ""


def suggest(files: Sequence[PartFile]) -> dict[Path, Role]:
    """A role for every file: of each part the first that fits the transformers, the others none."""
    roles: dict[Path, Role] = dict.fromkeys((file.path for file in files), "")
    experts = _experts([file for file in files if file.kind == "transformer"])
    roles |= experts
    lead = next((file.checkpoint for file in files if file.path in experts), None)
    for kind in ("vae", "text encoder", "tokenizer", "image encoder"):
        fitting = [file for file in files if file.kind == kind and _fits(file.checkpoint, lead)]
        if fitting:
            roles[fitting[0].path] = fitting[0].roles[0]
    return roles


def assign(roles: Roles, path: Path, role: Role) -> dict[Path, Role]:
    """The roles after one file was given another: who had it takes what this one had, if anything."""
    before, changed = roles[path], dict(roles)
    for other, theirs in roles.items():
        if other == path:
            changed[other] = role
        elif role and theirs == role:
            changed[other] = before
        elif role == "alone" and theirs in ("high", "low"):
            changed[other] = ""
        elif role in ("high", "low") and theirs == "alone":
            changed[other] = "low" if role == "high" else "high"
    return changed


def doubt(file: PartFile, role: Role) -> str:
    """What speaks for this expert when only a name, metadata or nothing does; "" for all other roles."""
    if role not in ("high", "low") or file.checkpoint is None:
        return ""
    hint, source = file.checkpoint.expert_hint, file.checkpoint.hint_source
    if hint is None:
        return "nothing in the file tells which expert it is"
    if hint != role:
        return f"its {_where(source)} says {hint} noise"
    return f"only its {_where(source)} says so"


def _where(source: str) -> str:
    return "metadata" if source.startswith("metadata") else source


def propose(files: Sequence[PartFile], roles: Roles, wanted: str = "") -> Proposal:
    """What the files make in these roles; `wanted` is the id of the row to prefer where several fit."""
    playing: dict[Role, PartFile] = {role: file for file in files if (role := roles.get(file.path, ""))}
    transformers = [playing[role] for role in ("alone", "high", "low") if role in playing]
    if not files:
        return Proposal(problem="Add the files of a model.")
    if not transformers:
        return Proposal(problem="No file is the transformer yet.", advice="Add the model's main file.")
    experts = 1 if "alone" in playing else 2
    rows = _rows(transformers, experts, wanted)
    played = list(_played(experts, transformers[0].checkpoint))
    parts = {part: playing[role].path for part, role in played if role in playing}
    missing = tuple(
        Missing(part, spoken(part, experts), where_to_get(part, rows[0]))
        for part, _ in played
        if part not in parts and not (part == "tokenizer" and _brings_one(playing))
    )
    reason, advice = _problem(rows[0], parts, playing, experts, missing)
    return Proposal(rows, parts, missing, reason, advice)


def alike(file: PartFile, rows: Sequence[ModelEntry]) -> tuple[str, ...]:
    """The titles of other models with the same tensors as this transformer's."""
    return tuple(row.title for row in _known(file) if row not in rows)


def _played(experts: int, lead: Checkpoint | None) -> Iterable[tuple[Part, Role]]:
    for part in wanted_parts(experts, lead.architecture if lead else None):
        yield part, "alone" if part == "high" and experts == 1 else part


def _experts(files: Sequence[PartFile]) -> dict[Path, Role]:
    """The first pair whose names tell the experts apart, or two files alike, or one file."""
    for one in files:
        for two in files:
            if _are_pair(one, two) and (_hint(one), _hint(two)) == ("high", "low"):
                return {one.path: "high", two.path: "low"}
    if len(files) == 2 and _are_pair(*files):
        one, two = files
        if _hint(one) is None or _hint(one) != _hint(two):
            is_turned = _hint(one) == "low" or _hint(two) == "high"
            return {one.path: "low" if is_turned else "high", two.path: "high" if is_turned else "low"}
    return {file.path: _lone(file) for file in files[:1]}


def _lone(file: PartFile) -> Role:
    row = next(iter(_known(file)), None)
    return (_hint(file) or "high") if row is not None and row.experts == 2 else "alone"


def _are_pair(one: PartFile, two: PartFile) -> bool:
    if one.path.resolve() == two.path.resolve() or one.checkpoint is None or two.checkpoint is None:
        return False
    rows = _known(one)
    is_alike = one.checkpoint.architecture == two.checkpoint.architecture
    return is_alike and (not rows or any(row.experts == 2 for row in rows))


def _known(file: PartFile) -> list[ModelEntry]:
    names = file.checkpoint.models if file.checkpoint else ()
    return [row for name in names if (row := entry(name)) is not None]


def _hint(file: PartFile) -> Expert | None:
    return file.checkpoint.expert_hint if file.checkpoint else None


def _fits(found: Checkpoint | None, lead: Checkpoint | None) -> bool:
    if found is None or lead is None:
        return True
    if found.role == "vae":
        return found.latent_channels == lead.latent_channels
    if found.role == "image encoder":
        return found.image_width == lead.image_width
    return found.text_width == lead.text_width


def _brings_one(playing: Mapping[Role, PartFile]) -> bool:
    """Whether the text encoder brings its tokenizer."""
    text = playing.get("text_encoder")
    return text is not None and text.checkpoint is not None and text.checkpoint.has_tokenizer


def _rows(files: Sequence[PartFile], experts: int, wanted: str) -> tuple[ModelEntry, ...]:
    """The models of which all these may be experts: the wanted one, then the others."""
    common = [row for row in _known(files[0]) if row.experts == experts]
    fitting = [row for row in common if all(row in _known(file) for file in files)]
    other = entry(OTHER)
    assert other is not None
    return tuple(sorted(fitting, key=lambda row: row.id != wanted)) or (other,)


def _problem(
    row: ModelEntry,
    parts: Mapping[Part, Path],
    playing: Mapping[Role, PartFile],
    experts: int,
    missing: Sequence[Missing],
) -> tuple[str, str]:
    """Why the parts make no model, and what to do about it."""
    if missing:
        names = [each.name for each in missing]
        listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
        return f"{listed[0].upper()}{listed[1:]} {'is' if len(names) == 1 else 'are'} missing.", ""
    lead = playing["alone" if experts == 1 else "high"].checkpoint
    played = _played(experts, lead)
    found = {
        part: file.checkpoint for part, role in played if (file := playing.get(role)) and file.checkpoint
    }
    try:
        check_together(parts, {p: c for p, c in found.items() if c is not None}, row, experts)
    except CatalogError as error:
        return str(error), error.advice
    return "", ""
