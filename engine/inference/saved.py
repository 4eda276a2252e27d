"""Kept steps as a run's folder holds them: tensors by name, everything else as JSON."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from catalog.recipe import Recipe
from engine.errors import CannotContinue
from engine.inference.trajectory import Cause, Key, Point, Taken, Trajectory
from engine.points import SavedPoint

VERSION = 1
_DTYPES = {
    str(t): t for t in (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.uint8)
}


def pack(trajectory: Trajectory, point: Point) -> SavedPoint:
    """A point with the steps before it."""
    tensors: dict[str, NDArray[Any]] = {}
    taken = trajectory.taken[: point.step]
    for index, step in enumerate(taken):
        tensors[f"preview.{index}"] = step.preview
    values = {
        "version": VERSION,
        "key": asdict(trajectory.key),
        "causes": [asdict(step.cause) for step in taken],
        "files": trajectory.files,
        "latents": _packed(point.latents, "latents", tensors),
        "state": {name: _packed(value, f"state.{name}", tensors) for name, value in point.state.items()},
    }
    return SavedPoint(point.step, tensors, values)


def unpack(saved: SavedPoint, recipe: Recipe) -> Trajectory:
    """The steps up to a saved point. Raises CannotContinue when it was not made by `pack`."""
    tensors, values = saved.tensors, saved.values
    try:
        if values["version"] != VERSION:
            raise ValueError(f"version {values['version']}")
        key = _key(values["key"])
        causes = [_cause(cause) for cause in values["causes"]]
        taken = [Taken(c, _frozen(tensors[f"preview.{i}"])) for i, c in enumerate(causes)]
        state = {name: _unpacked(value, tensors) for name, value in values["state"].items()}
        point = Point(saved.step, _unpacked(values["latents"], tensors), state)
        files = {str(sha256): str(file) for sha256, file in values["files"].items()}
        if len(taken) != saved.step or point.latents.shape != key.shape:
            raise ValueError("steps are missing")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CannotContinue(f"What was kept of “{recipe.prompt}” is not complete.") from error
    return Trajectory(key, recipe, None, taken, {point.step: point}, files)


def _key(values: Mapping[str, Any]) -> Key:
    """A key, whose lists were tuples before they were JSON."""
    told: dict[str, Any] = {
        n: tuple(value) if isinstance(value, list) else value for n, value in values.items()
    }
    return Key(**told)


def _cause(values: Mapping[str, Any]) -> Cause:
    tones = tuple((str(sha256), float(strength)) for sha256, strength in values["tones"])
    return Cause(**{**values, "tones": tones})


def _packed(value: Any, name: str, tensors: dict[str, NDArray[Any]]) -> Any:
    """A JSON value; tensors go among `tensors`, half precision as float32, which holds it exactly."""
    match value:
        case Tensor():
            is_half = value.dtype in (torch.float16, torch.bfloat16)
            tensors[name] = (value.float() if is_half else value).numpy()
            return {"tensor": name, "dtype": str(value.dtype)}
        case list():
            return [_packed(item, f"{name}.{index}", tensors) for index, item in enumerate(value)]
        case None | bool() | int() | float() | str():
            return value
        case _:
            raise TypeError(f"{name} is a {type(value).__name__}, which cannot be kept")


def _unpacked(value: Any, tensors: Mapping[str, NDArray[Any]]) -> Any:
    match value:
        case {"tensor": name, "dtype": dtype}:
            return torch.from_numpy(tensors[name].copy()).to(_DTYPES[dtype])
        case list():
            return [_unpacked(item, tensors) for item in value]
        case _:
            return value


def _frozen(preview: NDArray[Any]) -> NDArray[np.uint8]:
    if preview.dtype != np.uint8 or preview.ndim != 4:
        raise ValueError("a preview is no picture")
    preview.flags.writeable = False
    return preview
