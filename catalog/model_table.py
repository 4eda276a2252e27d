"""The table of known models in resources/models.json: what each is made of, takes and is used with."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import resources
from catalog import hints
from catalog.inputs import MOST_REFERENCES


@dataclass(frozen=True, slots=True)
class Defaults:
    """The settings a model is used with when a recipe does not say."""

    width: int
    height: int
    frames: int
    fps: int
    steps: int
    guidance_high: float
    guidance_low: float
    shift: float
    prompt: str = ""
    negative_prompt: str = ""
    sizes: tuple[tuple[int, int], ...] = ()
    most_frames: int = 161


@dataclass(frozen=True, slots=True)
class Architecture:
    """What the tensors of one expert show: sizes, and the branches that only some models have.

    `image_positions` counts the learned positions of FLF2V's image branch, `vace_blocks` the side branch.
    """

    width: int
    layers: int
    ffn: int
    in_channels: int
    out_channels: int
    has_image_branch: bool = False
    image_positions: int = 0
    vace_blocks: int = 0


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One row of the table.

    `inputs` must be given, `optional_inputs` may be. `folder` is the Hub repository with diffusers' folders,
    `files` the one with single files. `words` in a file's name speak for this row where tensors cannot tell.
    `architecture` is None for the last row, which stands for every Wan that no other row knows.
    """

    id: str
    title: str
    architecture: Architecture | None
    inputs: tuple[str, ...]
    defaults: Mapping[str, Any]
    version: str = ""
    words: tuple[str, ...] = ()
    experts: int = 1
    boundary: float | None = None
    vae: str = "wan2.1"
    head_width: int = 128
    expand_timesteps: bool = False
    optional_inputs: tuple[str, ...] = ()
    most_references: int = MOST_REFERENCES
    folder: str = ""
    files: str = ""


OTHER = "other"
"""The id of the row for models that no other row knows."""


@cache
def entries() -> tuple[ModelEntry, ...]:
    """Every row, in the order in which rows of one architecture are preferred."""
    rows = json.loads(resources.path("models.json").read_text("utf-8"))
    return tuple(_entry(row) for row in rows)


def entry(identifier: str) -> ModelEntry | None:
    """The row of that id."""
    return next((row for row in entries() if row.id == identifier), None)


def matching(architecture: Architecture, name: str = "") -> tuple[ModelEntry, ...]:
    """The rows of this architecture, those first that `name` speaks for; empty when there are none."""
    rows = [row for row in entries() if row.architecture == architecture]
    return tuple(sorted(rows, key=lambda row: -_says(row, name)))


def _says(row: ModelEntry, name: str) -> int:
    """How strongly a file's or folder's name speaks for a row."""
    claim = hints.wan_claim(name)
    said = claim is not None and claim[1] != "" and row.version == claim[1]
    expert = row.experts == 2 and hints.expert_in_name(name) is not None
    return sum(word in name.lower() for word in row.words) + said + expert


def _entry(row: dict[str, Any]) -> ModelEntry:
    shape = row["architecture"] and Architecture(**row["architecture"])
    lists = {name: tuple(value) for name, value in row.items() if isinstance(value, list)}
    return ModelEntry(**{**row, **lists, "architecture": shape})
