"""What a model folder is and which settings it accepts, read from its JSON files alone."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import resources
from catalog.errors import ModelNotFound

Expert = Literal["high", "low"]


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
class ModelInfo:
    """A diffusers folder with a Wan pipeline in it.

    `experts` is ("high", "low") for a two-expert model, else ("high",): the one transformer then takes
    the high-noise values. Pixel sizes are multiples of `size_multiple`; frame counts are
    `frame_stride`·k + 1.
    """

    name: str
    title: str
    path: Path
    experts: tuple[Expert, ...]
    boundary: float | None
    width_inner: int
    layers: int
    in_channels: int
    size_multiple: int
    frame_stride: int
    defaults: Defaults


def find_model(name: str, base: Path | None = None) -> ModelInfo:
    """The model called `name` ("demo"), or the diffusers folder at that path, seen from `base` or from here."""
    if name == "demo":
        return _read(resources.path("demo"), "demo")
    wanted = Path(name).expanduser()
    for start in (base or Path.cwd(), Path.cwd()):
        if name and (folder := start / wanted).is_dir():
            return _read(folder.resolve(), folder.name)
    raise ModelNotFound(f"There is no model called “{name}”.")


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a model's file; ModelNotFound when it is missing or something else."""
    try:
        value = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise ModelNotFound(f"The model folder has no {path.parent.name}/{path.name}.") from error
    except (OSError, ValueError) as error:
        raise ModelNotFound(f"{path.parent.name}/{path.name} cannot be read.") from error
    if not isinstance(value, dict):
        raise ModelNotFound(f"{path.parent.name}/{path.name} is not what it should be.")
    return value


def _read(folder: Path, name: str) -> ModelInfo:
    index = read_json(folder / "model_index.json")
    if index.get("_class_name") != "WanPipeline":
        said = index.get("_class_name", "nothing")
        raise ModelNotFound(f"{folder.name} holds {said}; only Wan text-to-video pipelines can be opened.")
    transformer = read_json(folder / "transformer" / "config.json")
    vae = read_json(folder / "vae" / "config.json")
    boundary = index.get("boundary_ratio")
    two = boundary is not None and (index.get("transformer_2") or [None])[0] is not None
    try:
        heads, head_dim = int(transformer["num_attention_heads"]), int(transformer["attention_head_dim"])
        width, layers = heads * head_dim, int(transformer["num_layers"])
        channels, patch = int(transformer["in_channels"]), int(transformer["patch_size"][1])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelNotFound(f"{folder.name}/transformer/config.json lacks {error}.") from error
    row = _row({"name": name, "width_inner": width, "in_channels": channels, "two_experts": two})
    return ModelInfo(
        name=name,
        title=row["title"] or name,
        path=folder,
        experts=("high", "low") if two else ("high",),
        boundary=float(boundary) if two and boundary is not None else None,
        width_inner=width,
        layers=layers,
        in_channels=channels,
        size_multiple=int(vae.get("scale_factor_spatial", 8)) * patch,
        frame_stride=int(vae.get("scale_factor_temporal", 4)),
        defaults=_defaults(row["defaults"], folder),
    )


@cache
def _table() -> list[dict[str, Any]]:
    rows = json.loads(resources.path("models.json").read_text("utf-8"))
    assert isinstance(rows, list)
    return rows


def _row(shape: dict[str, Any]) -> dict[str, Any]:
    """The first row of resources/models.json that fits; the last row fits everything."""
    return next(r for r in _table() if all(shape[k] == v for k, v in r["when"].items()))


def _defaults(values: dict[str, Any], folder: Path) -> Defaults:
    sizes = tuple((int(w), int(h)) for w, h in values.get("sizes", ()))
    shift = values.get("shift")
    if shift is None:  # an unknown model: only its own scheduler file can tell
        scheduler = read_json(folder / "scheduler" / "scheduler_config.json")
        shift = scheduler.get("flow_shift", scheduler.get("shift", 1.0))
    return Defaults(**(values | {"sizes": sizes, "shift": float(shift)}))
