"""Where an unfinished run stood, as files in its folder: tensors and values, written and read without torch."""

import contextlib
import json
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
from engine.errors import CannotContinue
from engine.messages import Unfinished
from engine.runs import RECIPE, VALUES, points_in


@dataclass(frozen=True, slots=True, eq=False)
class SavedPoint:
    """A run before step `step`: named tensors, and whatever else JSON can hold."""

    step: int
    tensors: Mapping[str, NDArray[Any]]
    values: Mapping[str, Any]


def write(folder: Path, recipe: Recipe, point: SavedPoint, keep: Collection[int] = ()) -> None:
    """Put a point into the folder of its run; earlier ones go, but for the steps in `keep`.

    Raises OSError; what was kept before is then still there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = dumps(recipe).encode()
    if not (folder / RECIPE).exists() or (folder / RECIPE).read_bytes() != text:
        _write(folder / RECIPE, text)
    tensors = {name: np.ascontiguousarray(tensor) for name, tensor in point.tensors.items()}
    data = save(tensors, {VALUES: json.dumps(point.values, allow_nan=False)})
    _write(folder / f"step-{point.step:04}.safetensors", data)
    for step, file in points_in(folder):
        if step != point.step and step not in keep:
            file.unlink(missing_ok=True)


def load_point(run: Unfinished) -> SavedPoint:
    """The last point of an unfinished run. Raises CannotContinue."""
    return _load(run, run.step)


def earlier_points(run: Unfinished) -> Iterator[SavedPoint]:
    """Those before the last one, as far as they can be read."""
    for step, _ in sorted(points_in(run.folder)):
        if step < run.step:
            with contextlib.suppress(CannotContinue):
                yield _load(run, step)


def _load(run: Unfinished, step: int) -> SavedPoint:
    file = run.folder / f"step-{step:04}.safetensors"
    try:
        header = read_header(file)
        return SavedPoint(step, load(file.read_bytes()), json.loads(header.metadata[VALUES]))
    except (CatalogError, OSError, SafetensorError, ValueError, KeyError) as error:
        raise CannotContinue(f"What was kept of “{run.recipe.prompt}” cannot be read.") from error


def _write(file: Path, data: bytes) -> None:
    part = file.with_name(f"{uuid.uuid4().hex}.part")
    try:
        part.write_bytes(data)
        part.replace(file)
    except OSError:
        part.unlink(missing_ok=True)
        raise
