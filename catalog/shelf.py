"""The models that can be had from the Hub, and in which ways: whole folders, or single files."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Literal

import resources
from catalog.download import may_be_had
from catalog.hub import HubFile, Repository
from catalog.model_table import ModelEntry, entries, entry
from catalog.shelf_names import is_of, is_readable, named

INDEX = "model_index.json"
_FOLDERS = (
    "transformer",
    "transformer_2",
    "vae",
    "text_encoder",
    "tokenizer",
    "scheduler",
    "image_encoder",
    "image_processor",
)
_WEIGHED = ("transformer", "vae", "text_encoder")
_FOR_PEOPLE = ("LICENSE", "LICENSE.txt", "LICENSE.md", "README.md")
_FIRST = ("fp8", "bf16", "fp16", "")


@dataclass(frozen=True, slots=True)
class Shelved:
    """A model that can be had: what it does, what its authors say of memory, "" when that is not known, and
    repositories with its transformers in other formats."""

    row: ModelEntry
    does: str
    memory: str = ""
    also: tuple[str, ...] = ()

    @property
    def repositories(self) -> tuple[str, ...]:
        """The repositories whose files must be known before the ways to have it are."""
        files = (
            self.row.files,
            *self.also,
            *(_places()[name]["repository"] for name in _parts_beside(self.row)),
        )
        return tuple(dict.fromkeys(name for name in (self.row.folder, *files) if name))


@dataclass(frozen=True, slots=True)
class Way:
    """One way to have a model. `parts` are what makes it, as paths below the folder of downloads: one
    diffusers folder, or the files and folders that a new model is made of."""

    kind: Literal["folder", "files"]
    row: ModelEntry | None
    numbers: str
    files: tuple[HubFile, ...]
    parts: tuple[Path, ...]
    heaviest: int

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def repositories(self) -> tuple[str, ...]:
        """Where the files come from, the transformer's first."""
        return tuple(dict.fromkeys(file.repository for file in self.files))


@cache
def shelf() -> tuple[Shelved, ...]:
    """Every model that can be had, in the order of resources/shelf.json."""
    said = json.loads(resources.path("shelf.json").read_text("utf-8"))["models"]
    found = ((entry(model["id"]), model) for model in said)
    return tuple(
        Shelved(row, model["does"], model.get("memory", ""), tuple(model.get("also", ())))
        for row, model in found
        if row is not None
    )


def ways(shelved: Shelved, found: Mapping[str, Repository]) -> tuple[Way, ...]:
    """The ways to have a model, by what these repositories hold; those not in `found` give none."""
    row = shelved.row
    folder = found.get(row.folder) and _folder(found[row.folder], row)
    sources = [found[name] for name in (row.files, *shelved.also) if name in found]
    files = tuple(way for source in sources for way in _files(source, row, found))
    return ((folder,) if folder else ()) + files


def ways_in(repository: Repository, found: Mapping[str, Repository]) -> tuple[Way, ...]:
    """The ways that any repository offers: itself as a folder, and single files of models known here.

    The other parts of these come from where they always do, as far as `found` has those repositories.
    """
    folder = _folder(repository, None)
    rows = [row for row in entries() if row.version]
    files = (way for row in rows for way in _files(repository, row, found))
    return ((folder,) if folder else ()) + tuple(files)


def shared_repositories() -> tuple[str, ...]:
    """Where VAEs, text encoder and tokenizer for single files come from."""
    return tuple(dict.fromkeys(place["repository"] for place in _places().values()))


def root_of(repository: str) -> Path:
    """The folder of a repository below the folder of downloads."""
    return Path(repository.split("/")[-1])


def _folder(repository: Repository, row: ModelEntry | None) -> Way | None:
    """The repository as diffusers stores models; None when it is no such, or holds pickles only."""
    if repository.file(INDEX) is None:
        return None
    files = tuple(file for file in repository.files if _belongs(file.path) and may_be_had(file))
    weights = _weights(files)
    if not all(weights.get(name) for name in _WEIGHED):
        return None
    return Way("folder", row, "", files, (root_of(repository.name),), max(weights.values()))


def _belongs(path: str) -> bool:
    folder, _, name = path.partition("/")
    return path == INDEX or path in _FOR_PEOPLE or (folder in _FOLDERS and "/" not in name)


def _weights(files: tuple[HubFile, ...]) -> dict[str, int]:
    """Bytes of the weights in each folder."""
    sizes: dict[str, int] = defaultdict(int)
    for file in files:
        if file.path.endswith(".safetensors"):
            sizes[file.path.partition("/")[0]] += file.size
    return sizes


def _files(repository: Repository, row: ModelEntry, found: Mapping[str, Repository]) -> tuple[Way, ...]:
    """One way for every format in which the repository has all transformers of the model."""
    others = _others(row, found)
    if not others:
        return ()
    formats: dict[str, dict[str, HubFile]] = defaultdict(dict)
    for file in repository.files:
        name = named(file.path) if may_be_had(file) else None
        if name and is_of(name, row) and is_readable(name):
            # of two files alike the first is taken: the others are copies in older formats
            formats[name.numbers].setdefault(name.expert or "" if row.experts == 2 else "high", file)
    wanted = {"high", "low"} if row.experts == 2 else {"high"}
    made = (
        _set(row, numbers, tuple(experts[e] for e in sorted(wanted)), others)
        for numbers, experts in formats.items()
        if wanted <= experts.keys()
    )
    return tuple(sorted(made, key=lambda way: (_place(way.numbers), -way.size)))


def _set(
    row: ModelEntry, numbers: str, transformers: tuple[HubFile, ...], others: tuple[HubFile, ...]
) -> Way:
    files = transformers + others
    below = [root_of(file.repository) / file.path for file in files]
    parts = dict.fromkeys(path.parent if path.parent.name == "tokenizer" else path for path in below)
    return Way("files", row, numbers, files, tuple(parts), max(file.size for file in files))


def _others(row: ModelEntry, found: Mapping[str, Repository]) -> tuple[HubFile, ...]:
    """All parts but the transformers; empty when one of them is not to be had."""
    files: list[HubFile] = []
    for place in (_places()[name] for name in _parts_beside(row)):
        repository = found.get(place["repository"], Repository(""))
        path = PurePosixPath(place["path"])
        at = [f for f in repository.files if path in (PurePosixPath(f.path), PurePosixPath(f.path).parent)]
        if not any(map(may_be_had, at)):
            return ()
        files += filter(may_be_had, at)
    return tuple(files)


def _parts_beside(row: ModelEntry) -> tuple[str, ...]:
    """What a model needs besides its transformers, as the table of parts calls it."""
    sees = row.architecture is not None and row.architecture.has_image_branch
    return (row.vae, "text_encoder", *(("image_encoder",) if sees else ()), "tokenizer")


def _place(numbers: str) -> int:
    return next((i for i, start in enumerate(_FIRST) if numbers.startswith(start)), len(_FIRST))


@cache
def _places() -> dict[str, dict[str, str]]:
    places: dict[str, dict[str, str]] = json.loads(resources.path("shelf.json").read_text("utf-8"))["parts"]
    return places
