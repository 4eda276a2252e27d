"""Accelerator profiles from resources/accelerators.json: settings and LoRAs that make a model need few steps."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import resources
from catalog.guidance import Guidance
from catalog.identify import misfit
from catalog.library import Entry
from catalog.models import ModelInfo


@dataclass(frozen=True, slots=True)
class Part:
    """One LoRA of a profile: the `file` as it is published, and its strength on each expert.

    Files whose names without ending match one of `names` (small letters, * for anything) are taken for it.
    """

    file: str
    names: tuple[str, ...]
    repository: str
    high: float
    low: float
    folder: str = ""

    @property
    def place(self) -> str:
        """Where the file is published, to follow “published in”."""
        return f"{self.repository}/{self.folder}" if self.folder else self.repository

    @property
    def page(self) -> str:
        """The address of that place."""
        tree = f"/tree/main/{self.folder}" if self.folder else ""
        return f"https://huggingface.co/{self.repository}{tree}"

    def is_named(self, file: Path) -> bool:
        """Whether a file is called as this part is."""
        return any(fnmatchcase(file.stem.lower(), name) for name in self.names)


@dataclass(frozen=True, slots=True)
class Accelerator:
    """A profile for the models of the table whose ids are `models`. A setting that is None stays the model's own.

    `source` says where all of it is from.
    """

    id: str
    title: str
    models: tuple[str, ...]
    steps: int
    guidance: Guidance
    loras: tuple[Part, ...]
    source: str
    scheduler: str | None = None
    shift: float | None = None
    sigmas: tuple[float, ...] | None = None
    boundary: float | None = None
    boundary_step: int | None = None

    def part_of(self, file: Path) -> Part | None:
        """The part that a file is called like."""
        return next((part for part in self.loras if part.is_named(file)), None)


@cache
def accelerators() -> tuple[Accelerator, ...]:
    """Every profile, in the order in which they are offered."""
    rows = json.loads(resources.path("accelerators.json").read_text("utf-8"))
    return tuple(_accelerator(row) for row in rows)


def accelerator(identifier: str | None) -> Accelerator | None:
    """The profile of that id."""
    return next((row for row in accelerators() if row.id == identifier), None)


def made_for(model: ModelInfo) -> tuple[Accelerator, ...]:
    """The profiles for a model."""
    return tuple(row for row in accelerators() if model.entry in row.models)


def candidates(part: Part, entries: Iterable[Entry], model: ModelInfo) -> tuple[Entry, ...]:
    """The files that a part may be: called like it, and shown by their tensors to fit the model.

    Files whose tensors deny what is said about them come last; copies of one content count once.
    """
    found: dict[str, Entry] = {}
    for entry in entries:
        identity = entry.identity
        if part.is_named(entry.path) and identity is not None and not misfit(identity, model):
            found.setdefault(entry.sha256 or str(entry.path), entry)
    return tuple(sorted(found.values(), key=_doubt))


def is_certain(found: tuple[Entry, ...]) -> bool:
    """Whether there is one candidate, and nothing speaks against it."""
    return len(found) == 1 and not _doubt(found[0])


def _doubt(entry: Entry) -> bool:
    return bool(entry.identity and entry.identity.contradictions)


def _accelerator(row: Mapping[str, Any]) -> Accelerator:
    sigmas = row.get("sigmas")
    return Accelerator(
        **{
            **row,
            "models": tuple(row["models"]),
            "guidance": Guidance(float(row["guidance"]["high"]), float(row["guidance"]["low"])),
            "sigmas": None if sigmas is None else tuple(map(float, sigmas)),
            "loras": tuple(Part(**{**part, "names": tuple(part["names"])}) for part in row["loras"]),
        }
    )
