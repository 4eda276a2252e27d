"""What a model is and which settings it accepts, read from its JSON files and headers alone."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import resources
from catalog.errors import ModelNotFound
from catalog.experts import Expert
from catalog.inputs import MOST_REFERENCES
from catalog.model_inputs import Wanted, wanted
from catalog.model_table import OTHER, Architecture, Defaults, ModelEntry, entry, matching
from catalog.plain_text import short_name

__all__ = [
    "Defaults",
    "Expert",
    "ModelInfo",
    "architecture",
    "checked_wants",
    "defaults_of",
    "find_model",
    "read_json",
    "snapshot",
]

_PIPELINES = ("WanPipeline", "WanImageToVideoPipeline", "WanVACEPipeline")


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A Wan that can be loaded: a diffusers folder, or single files that a .wanmodel.json names.

    `entry` is its row of the model table, `path` the folder or the JSON file.
    `experts` is ("high", "low") for a two-expert model, else ("high",): the one transformer then takes
    the high-noise values. Pixel sizes are multiples of `size_multiple`; frame counts are
    `frame_stride`·k + 1. `needs` are the pictures that must be given, `takes` all that may be, by the
    names of the fields of `Inputs`, of reference images at most `most_references`.
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
    entry: str = OTHER
    needs: frozenset[str] = frozenset()
    takes: frozenset[str] = frozenset()
    most_references: int = MOST_REFERENCES


def find_model(name: str, base: Path | None = None) -> ModelInfo:
    """The model called `name` ("demo"), or the one at that path, seen from `base` or from here.

    A path leads to a diffusers folder, a Hub cache folder of one, or a .wanmodel.json. ModelNotFound says
    what is wrong with it; also when the model needs more than is known here.
    """
    if name == "demo":
        return _read(resources.path("demo"), "demo")
    try:
        return _at(name, base or Path.cwd())
    except OSError as error:  # a name that no system allows, a folder that may not be entered
        raise ModelNotFound(f"“{short_name(name)}” cannot be read: {error.strerror}.") from error


def _at(name: str, base: Path) -> ModelInfo:
    wanted = os.path.expanduser(name)  # Path's own raises for a user that is not there
    for start in (base, Path.cwd()):
        if name and (start / wanted).is_dir():
            folder = (start / wanted).resolve()
            return _read(snapshot(folder), _called(folder))
    from catalog.model_assembly import find_assembly, model_info  # they need ModelInfo

    return model_info(find_assembly(wanted, base))


def checked_wants(title: str, row: ModelEntry, shape: Architecture, expand_timesteps: bool) -> Wanted:
    """What a model is given besides text; ModelNotFound when that is not known."""
    found = wanted(row, shape, expand_timesteps, title)
    if found is None:
        raise ModelNotFound(f"{title} is a Wan that needs more than text, of a kind not known here.")
    return found


def snapshot(folder: Path) -> Path:
    """The files of a Hub cache folder (models--…), which lie one revision deep; else the folder itself."""
    try:
        revision = (folder / "refs" / "main").read_text("utf-8").strip()
    except OSError:
        return folder
    inner = folder / "snapshots" / Path(revision).name
    return inner if inner.is_dir() else folder


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


def _called(folder: Path) -> str:
    """A folder's name; inside the Hub's cache the repository's, since a revision says nothing."""
    return folder.parent.parent.name if folder.parent.name == "snapshots" else folder.name


def _read(folder: Path, name: str) -> ModelInfo:
    index = read_json(folder / "model_index.json")
    config = read_json(folder / "transformer" / "config.json")
    vae = read_json(folder / "vae" / "config.json")
    boundary = index.get("boundary_ratio")
    two = boundary is not None and (index.get("transformer_2") or [None])[0] is not None
    try:
        shape, patch = architecture(config), int(config["patch_size"][1])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelNotFound(f"{folder.name}/transformer/config.json lacks {error}.") from error
    row = _row(name, shape, two)
    _check_pipeline(folder, index, shape)
    wants = checked_wants(name, row, shape, bool(index.get("expand_timesteps", False)))
    return ModelInfo(
        name=name,
        title=row.title or name,
        path=folder,
        experts=("high", "low") if two else ("high",),
        boundary=float(boundary) if two and boundary is not None else None,
        width_inner=shape.width,
        layers=shape.layers,
        in_channels=shape.in_channels,
        size_multiple=int(vae.get("scale_factor_spatial", 8)) * patch,
        frame_stride=int(vae.get("scale_factor_temporal", 4)),
        defaults=defaults_of(row, lambda: _flow_shift(folder)),
        entry=row.id,
        needs=wants.needs,
        takes=wants.takes,
        most_references=wants.most_references,
    )


def _check_pipeline(folder: Path, index: dict[str, Any], shape: Architecture) -> None:
    said = index.get("_class_name", "nothing")
    if said not in _PIPELINES:
        raise ModelNotFound(f"{folder.name} holds {said}; only {', '.join(_PIPELINES)} can be opened.")
    if shape.has_image_branch and (index.get("image_encoder") or [None])[0] is None:
        raise ModelNotFound(f"{folder.name} has no image encoder, which its transformer needs.")


def architecture(config: dict[str, Any]) -> Architecture:
    """What a transformer’s config.json says of it; KeyError names what it lacks."""
    return Architecture(
        width=int(config["num_attention_heads"]) * int(config["attention_head_dim"]),
        layers=int(config["num_layers"]),
        ffn=int(config.get("ffn_dim", 0)),
        in_channels=int(config["in_channels"]),
        out_channels=int(config.get("out_channels") or config["in_channels"]),
        has_image_branch=config.get("image_dim") is not None,
        image_positions=int(config.get("pos_embed_seq_len") or 0),
        vace_blocks=len(config.get("vace_layers") or ()),
    )


def _row(name: str, shape: Architecture, has_two_experts: bool) -> ModelEntry:
    """The row for a folder; the last one, which fits every model, where no other does."""
    rows = [row for row in matching(shape, name) if (row.experts == 2) == has_two_experts]
    found = entry(name) if name == "demo" else next(iter(rows), entry(OTHER))
    assert found is not None
    return found


def defaults_of(row: ModelEntry, shift: Callable[[], float]) -> Defaults:
    """The settings of a row; `shift` is asked where the row does not say, as for an unknown model."""
    sizes = tuple((int(w), int(h)) for w, h in row.defaults.get("sizes", ()))
    known = row.defaults.get("shift")
    chosen = float(shift() if known is None else known)
    return Defaults(**(dict(row.defaults) | {"sizes": sizes, "shift": chosen}))


def _flow_shift(folder: Path) -> float:
    scheduler = read_json(folder / "scheduler" / "scheduler_config.json")
    return float(scheduler.get("flow_shift", scheduler.get("shift", 1.0)))
