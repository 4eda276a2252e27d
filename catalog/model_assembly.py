"""A model of single files: a small JSON file that names the file of every part, and the row of the table."""

import errno
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.errors import ModelNotFound
from catalog.experts import Expert
from catalog.folders import default_folders
from catalog.install import safe_name
from catalog.model_parts import PARTS, Part, check_parts, examine
from catalog.model_table import ModelEntry, entry
from catalog.models import ModelInfo, checked_wants, defaults_of
from catalog.on_the_way import claim, drop, part_beside

SUFFIX = ".wanmodel.json"
FORMAT = 1
_MOST_BYTES = 100_000
_SHIFT = 5.0
_STRIDES = {"wan2.1": (8, 4), "wan2.2": (16, 4)}


@dataclass(frozen=True, slots=True)
class Assembly:
    """Which file plays which part, and the model that they make. One transformer alone plays "high"."""

    path: Path
    title: str
    row: ModelEntry
    parts: Mapping[Part, Path]

    @property
    def experts(self) -> tuple[Expert, ...]:
        """The experts that it has files for."""
        return ("high", "low") if "low" in self.parts else ("high",)


def find_assembly(name: str, base: Path) -> Assembly:
    """The assembly at that path, seen from `base` or from here, or the one of that name in the models folder."""
    for start in (base, Path.cwd()):
        path = start / os.path.expanduser(name)
        if name and path.is_file():
            return read_assembly(path.resolve())
    known = default_folders().models / f"{name}{SUFFIX}"
    if name and Path(name).name == name and known.is_file():
        return read_assembly(known)
    raise ModelNotFound(f"There is no model called “{name}”.")


def saved_assemblies(folder: Path) -> tuple[Assembly, ...]:
    """The assemblies in a folder by title, those that cannot be read left out; parts are not looked at."""
    found = []
    for path in folder.glob(f"*{SUFFIX}"):
        try:
            found.append(read_assembly(path))
        except ModelNotFound:
            continue  # opening it says what is wrong
    return tuple(sorted(found, key=lambda assembly: assembly.title.casefold()))


def place_for(title: str, folder: Path) -> Path:
    """Where an assembly of that title is saved; whether there is one already is not looked at."""
    name = safe_name(f"{title.strip()}.safetensors").removesuffix(".safetensors")
    return folder / f"{name}{SUFFIX}"


def read_assembly(path: Path) -> Assembly:
    """The assembly in a JSON file; ModelNotFound says what is wrong with it. Its parts are not looked at."""
    if not path.name.endswith(".json"):
        raise ModelNotFound(_what_instead(path), "Make a model of this file and the other parts first.")
    value = _object(path)
    if unknown := sorted(value.keys() - {"format", "title", "model", "parts"}):
        raise ModelNotFound(f"{path.name} has the unknown field “{unknown[0]}”.")
    if value.get("format") != FORMAT:
        raise ModelNotFound(f"{path.name} is no description of a model in format {FORMAT}.")
    row = entry(str(value.get("model")))
    if row is None:
        raise ModelNotFound(f"{path.name} names the unknown model “{value.get('model')}”.")
    title = str(value.get("title") or path.name.removesuffix(SUFFIX))
    return Assembly(path, title, row, _parts(path, value.get("parts")))


def write_assembly(assembly: Assembly) -> None:
    """Write the JSON file at `assembly.path`, with relative paths for parts that lie below its folder.

    Raises FileExistsError rather than replace a file, OSError when the disk refuses.
    """
    folder = assembly.path.parent
    folder.mkdir(parents=True, exist_ok=True)
    parts = {part: _written(path, folder) for part, path in assembly.parts.items()}
    value = {"format": FORMAT, "title": assembly.title, "model": assembly.row.id, "parts": parts}
    part_file = part_beside(assembly.path)
    try:
        part_file.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", "utf-8")
        if not claim(part_file, assembly.path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(assembly.path))
    finally:
        drop(part_file)


def model_info(assembly: Assembly) -> ModelInfo:
    """What the assembled model is and accepts; ModelNotFound when a part is missing or does not fit."""
    row, experts = assembly.row, assembly.experts
    found = check_parts(assembly.parts, row, max(row.experts, len(experts)))
    shape = found["high"].architecture
    assert shape is not None
    wants = checked_wants(assembly.title, row, shape, row.expand_timesteps)
    spatial, temporal = _STRIDES[row.vae]
    return ModelInfo(
        name=assembly.path.name.removesuffix(SUFFIX),
        title=assembly.title,
        path=assembly.path,
        experts=experts,
        boundary=row.boundary if len(experts) == 2 else None,
        width_inner=shape.width,
        layers=shape.layers,
        in_channels=shape.in_channels,
        size_multiple=spatial * 2,
        frame_stride=temporal,
        defaults=defaults_of(row, lambda: _SHIFT),
        entry=row.id,
        needs=wants.needs,
        takes=wants.takes,
        most_references=wants.most_references,
    )


def _what_instead(path: Path) -> str:
    """A sentence about a file that was opened as a model and is none by itself."""
    found = examine(path)
    return (
        f"{path.name} is one part of a model: {found.title}."
        if not found.refusal
        else (f"{path.name} cannot be used. {found.refusal}")
    )


def _object(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ModelNotFound(f"{path.name} is too large for a description of a model.")
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelNotFound(f"{path.name} cannot be read.") from error
    if not isinstance(value, dict):
        raise ModelNotFound(f"{path.name} is no description of a model.")
    return value


def _parts(path: Path, value: Any) -> dict[Part, Path]:
    if not isinstance(value, dict) or not all(isinstance(file, str) and file for file in value.values()):
        raise ModelNotFound(f"{path.name} names no parts.")
    if unknown := sorted(value.keys() - set(PARTS)):
        raise ModelNotFound(
            f"{path.name} names the unknown part “{unknown[0]}”; parts are {', '.join(PARTS)}."
        )
    if network := [file for file in value.values() if file.startswith(("//", "\\\\"))]:
        # looking there would send this user's credentials to whoever wrote the file
        raise ModelNotFound(f"{path.name} names a file on another computer: {network[0]}.")
    return {part: path.parent / os.path.expanduser(value[part]) for part in PARTS if part in value}


def _written(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)
