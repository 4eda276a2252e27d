"""Unfinished runs on disk: a folder per run with its recipe and the last kept steps, read without torch."""

import contextlib
import json
import logging
import os
import re
import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from catalog.errors import CatalogError
from catalog.header import read_header
from catalog.recipe import Recipe, dumps
from catalog.recipe_files import load as load_recipe
from engine.errors import CannotContinue
from engine.messages import Unfinished

log = logging.getLogger(__name__)

MOST_RUNS = 8
"""Unfinished runs beyond these are forgotten, oldest first."""
_RECIPE = "recipe.json"
_POINT = re.compile(r"step-(\d{4})\.safetensors")
_OURS = re.compile(rf"{re.escape(_RECIPE)}|{_POINT.pattern}|[^/]+\.part")
_VALUES = "values"


@dataclass(frozen=True, slots=True, eq=False)
class SavedPoint:
    """A run before step `step`: named tensors, and whatever else JSON can hold."""

    step: int
    tensors: Mapping[str, NDArray[Any]]
    values: Mapping[str, Any]


def new_folder(root: Path) -> Path:
    """A name under `root` that no other run has; `write` makes the folder."""
    return root / f"{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:8]}"


def write(folder: Path, recipe: Recipe, point: SavedPoint, keep: Collection[int] = ()) -> None:
    """Put a point into the folder of its run; earlier ones go, but for the steps in `keep`.

    Raises OSError; what was kept before is then still there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = dumps(recipe).encode()
    if not (folder / _RECIPE).exists() or (folder / _RECIPE).read_bytes() != text:
        _write(folder / _RECIPE, text)
    tensors = {name: np.ascontiguousarray(tensor) for name, tensor in point.tensors.items()}
    data = save(tensors, {_VALUES: json.dumps(point.values, allow_nan=False)})
    _write(folder / f"step-{point.step:04}.safetensors", data)
    for step, file in _points(folder):
        if step != point.step and step not in keep:
            file.unlink(missing_ok=True)


def unfinished(root: Path) -> tuple[Unfinished, ...]:
    """The runs that can be continued, newest first; anything else in the folder is left alone."""
    try:
        folders = [folder for folder in root.iterdir() if folder.is_dir()]
    except OSError:
        return ()
    found = [run for folder in folders if (run := read(folder))]
    return tuple(sorted(found, key=lambda run: run.time, reverse=True))


def read(folder: Path) -> Unfinished | None:
    """The run in a folder, or None where there is none that could be continued."""
    try:
        recipe = load_recipe(folder / _RECIPE)
        points = [(step, file) for step, file in _points(folder) if _is_whole(file)]
        if recipe.steps is None or not points:
            return None
        step, file = max(points)
        return Unfinished(folder, recipe, step, recipe.steps, file.stat().st_mtime)
    except (CatalogError, OSError) as error:
        log.info("%s holds no run that can be continued: %s", folder.name, error)
        return None


def load_point(run: Unfinished) -> SavedPoint:
    """The last point of an unfinished run. Raises CannotContinue."""
    file = run.folder / f"step-{run.step:04}.safetensors"
    try:
        header = read_header(file)
        return SavedPoint(run.step, load(file.read_bytes()), json.loads(header.metadata[_VALUES]))
    except (CatalogError, OSError, SafetensorError, ValueError, KeyError) as error:
        raise CannotContinue(f"What was kept of “{run.recipe.prompt}” cannot be read.") from error


def move(old: Path, new: Path) -> None:
    """Let another run go on with what was kept, so that no two ever do. Raises CannotContinue."""
    try:
        os.rename(old, new)
    except OSError as error:
        raise CannotContinue("That run is no longer there to be continued.") from error


def remove(folder: Path) -> None:
    """Delete the files that `write` makes, and the folder if nothing else is in it."""
    with contextlib.suppress(OSError):
        for file in list(folder.iterdir()):
            if _OURS.fullmatch(file.name):
                file.unlink(missing_ok=True)
        folder.rmdir()


def prune(root: Path) -> None:
    """Forget the oldest unfinished runs when there are too many."""
    for run in unfinished(root)[MOST_RUNS:]:
        remove(run.folder)


def _points(folder: Path) -> Iterator[tuple[int, Path]]:
    for file in list(folder.iterdir()):
        if match := _POINT.fullmatch(file.name):
            yield int(match[1]), file


def _is_whole(file: Path) -> bool:
    try:
        return _VALUES in read_header(file).metadata
    except CatalogError as error:
        log.info("%s is passed over: %s", file.name, error)
        return False


def _write(file: Path, data: bytes) -> None:
    part = file.with_name(f"{uuid.uuid4().hex}.part")
    try:
        part.write_bytes(data)
        part.replace(file)
    except OSError:
        part.unlink(missing_ok=True)
        raise
