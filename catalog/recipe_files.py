"""Recipes on disk: in a JSON file or inside a finished clip, made whole for a model, their files found."""

import os
import random
import re
import subprocess
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import imageio_ffmpeg

from catalog import guidance
from catalog.errors import BadRecipe, LoraNotFound
from catalog.folders import Folders
from catalog.input_files import check_given
from catalog.install import known_hash
from catalog.library import Library
from catalog.models import ModelInfo
from catalog.recipe import MOST_BYTES, LoraUse, Recipe, check_fields, check_steps, loads
from catalog.scan import SUFFIXES, files_of

CLIP_SUFFIXES = (".mp4", ".webm", ".mkv", ".mov", ".m4v")
_MOST_POSITIONS = 1024  # per axis: a Wan transformer's positions end there
_FFMPEG_SECONDS = 60
_T = TypeVar("_T")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def load(path: Path) -> Recipe:
    """The recipe in a JSON file or in a clip that was made with one."""
    if not _is_file(path):
        said = (
            f"{path.name} is a folder, not a recipe."
            if os.path.isdir(path)
            else f"There is no recipe {path.name}."
        )
        raise BadRecipe(said, "Check the path.")
    if path.suffix.lower() in CLIP_SUFFIXES:
        return loads(_comment(path))
    try:
        if path.stat().st_size > MOST_BYTES:
            most = MOST_BYTES // 1_000_000
            raise BadRecipe(f"{path.name} is too large for a recipe: at most {most} MB are allowed.")
        return loads(path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        if path.suffix.lower() == ".json":
            raise BadRecipe(f"{path.name} is not text in UTF-8.", "Save it in that encoding.") from error
        raise BadRecipe(
            f"{path.name} is neither a recipe nor a clip (.json, .mp4, .webm).", "Choose another file."
        ) from error
    except OSError as error:
        raise BadRecipe(f"{path.name} cannot be read: {error.strerror}.", "Check the disk.") from error


def complete(recipe: Recipe, model: ModelInfo) -> Recipe:
    """The recipe with every setting filled in, or BadRecipe when the model does not accept one.

    `scheduler`, `sigmas` and the boundary stay None where the model's own are meant; a model of one expert
    gets its guidance twice and has no boundary.
    """
    check_fields(recipe)
    defaults = model.defaults
    boundary, boundary_step = recipe.boundary, recipe.boundary_step
    if len(model.experts) == 1:
        boundary = boundary_step = None
    filled = replace(
        recipe,
        negative_prompt=_either(recipe.negative_prompt, defaults.negative_prompt),
        width=_either(recipe.width, defaults.width),
        height=_either(recipe.height, defaults.height),
        frames=_either(recipe.frames, defaults.frames),
        fps=_either(recipe.fps, defaults.fps),
        steps=_either(recipe.steps, len(recipe.sigmas) if recipe.sigmas else defaults.steps),
        seed=_either(recipe.seed, random.randrange(2**31)),
        guidance=guidance.whole(recipe.guidance or recipe.half_guidance, model),
        half_guidance=None,
        shift=_either(recipe.shift, defaults.shift),
        boundary=boundary,
        boundary_step=boundary_step,
    )
    _check_size("width", filled.width, model)
    _check_size("height", filled.height, model)
    _check_frames(filled.frames, model)
    check_given(filled.inputs, model)
    check_steps(filled)
    return filled


def locate(use: LoraUse, recipe_path: Path | None, folders: Folders) -> Path:
    """The file that `use` means: by its path, beside the recipe, in the library, built in, by its hash."""
    named = [path for path in _candidates(use.file, recipe_path, folders) if _is_file(path)]
    if not use.sha256:
        if named:
            return named[0]
        raise LoraNotFound(f"The LoRA “{use.file}” is not there.")
    with Library(folders.database) as library:
        for path in _each(named, folders):
            if known_hash(path, library) == use.sha256:
                return path
    if named:
        raise LoraNotFound(
            f"“{named[0].name}” is another file than the one the recipe was made with.",
            "Find the original file, or take “sha256” out of the recipe to use this one.",
        )
    raise LoraNotFound(f"The LoRA “{use.file}” is not there.")


def _either(value: _T | None, default: _T) -> _T:
    return default if value is None else value


def _check_size(name: str, value: int | None, model: ModelInfo) -> None:
    unit = model.size_multiple
    most = unit * _MOST_POSITIONS
    if value is None or value % unit or not unit <= value <= most:
        raise BadRecipe(
            f"“{name}” is {value}; {model.title} takes multiples of {unit} from {unit} to {most}."
        )


def _check_frames(value: int | None, model: ModelInfo) -> None:
    stride = model.frame_stride
    most = stride * (_MOST_POSITIONS - 1) + 1
    if value is None or value % stride != 1 % stride or not 1 <= value <= most:
        raise BadRecipe(
            f"“frames” is {value}; {model.title} takes 1, {stride + 1}, {2 * stride + 1}, … up to {most}."
        )


def _candidates(file: str, recipe_path: Path | None, folders: Folders) -> list[Path]:
    if file.startswith(("\\\\", "//")):
        return []  # looking at a network path named by a stranger would send them our credentials
    path = Path(file).expanduser() if file.startswith("~/") else Path(file)
    roots = [folders.library, folders.built_in]
    if recipe_path is not None:
        roots.insert(0, recipe_path.absolute().parent)
    places = [path] if path.is_absolute() else [root / path for root in roots]
    places = [Path(os.path.abspath(place)) for place in places]  # one name for a file, without “..”
    if not path.name.lower().endswith(SUFFIXES):
        places += [place.with_name(place.name + SUFFIXES[0]) for place in places if place.name]
    # a library may be sorted into subfolders, and be sorted anew after the recipe was made
    same_name = [p for _, p in files_of(folders) if p.name == path.name] if not path.is_absolute() else []
    return places + same_name


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _each(named: list[Path], folders: Folders) -> Iterable[Path]:
    """The files that bear the name, then all others: hashing those is the last resort."""
    yield from named
    yield from (path for _, path in files_of(folders) if path not in named)


def _comment(clip: Path) -> str:
    """The text that we write into a clip's comment."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error"]
    command += ["-protocol_whitelist", "file,pipe", "-i", f"file:{clip.absolute()}", "-f", "ffmetadata", "-"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_FFMPEG_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BadRecipe(f"{clip.name} cannot be read: ffmpeg does not answer.") from error
    if done.returncode:
        raise BadRecipe(f"{clip.name} is not a clip that can be read.")
    comment = parse_ffmetadata(done.stdout.decode("utf-8", "replace")).get("comment", "").strip()
    if not comment.startswith("{"):
        raise BadRecipe(f"{clip.name} holds no recipe.", "Only clips made by LoRA Alchemy hold one.")
    return comment


def parse_ffmetadata(text: str) -> dict[str, str]:
    """The tags of the whole file, names in lower case; what is said about chapters and streams is left out."""
    found: dict[str, str] = {}
    # a backslash makes the next character, also a line's end, part of the value
    for line in re.findall(r"(?:\\.|[^\\\n])+", text, re.DOTALL):
        if line.startswith("["):
            break
        if line[0] in ";#":
            continue
        pieces = re.match(r"((?:\\.|[^\\=])*)=(.*)", line, re.DOTALL)
        if pieces:
            found[_ESCAPED.sub(r"\1", pieces[1]).lower()] = _ESCAPED.sub(r"\1", pieces[2])
    return found
