"""Clips as files: written beside, decoded to be sure, then moved into place; the recipe travels inside."""

import math
import os
import re
import shutil
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from catalog.on_the_way import claim, drop, part_beside
from catalog.portable import portable
from catalog.recipe import Recipe
from catalog.recipe import dumps as recipe_text
from engine import ffmpeg
from engine.errors import EncodeFailed
from engine.ffmpeg import Shape
from engine.messages import Frames

SUFFIXES = tuple(ffmpeg.ARGUMENTS)


def save(file: Path, frames: Frames, fps: int, recipe: Recipe) -> None:
    """Write a clip [F, H, W, 3] to a file that the user named, replacing it only when the new one is sound.

    Raises EncodeFailed; a file that was there before is then untouched, and nothing is left beside it.
    """
    count, height, width, _ = frames.shape
    save_pieces(file, (count, height, width), (frames,), fps, recipe)


def save_pieces(file: Path, shape: Shape, pieces: Iterable[Frames], fps: int, recipe: Recipe) -> None:
    """As `save`, of a clip whose pieces may be made while the ones before are being written."""
    part = encoded_beside(file, shape, pieces, fps, recipe)
    try:
        os.replace(part, file)
    except OSError as error:
        drop(part)
        raise EncodeFailed(f"{file.name} cannot be written: {error.strerror}.") from error


def file_stem(recipe: Recipe) -> str:
    """A name made of the prompt and the seed: one safe component on every system, never empty."""
    plain = unicodedata.normalize("NFKD", recipe.prompt).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:48].strip("-")
    return f"{words or 'clip'}-seed-{recipe.seed}"


def encoded_beside(file: Path, shape: Shape, pieces: Iterable[Frames], fps: int, recipe: Recipe) -> Path:
    """A whole and sound file in the folder of `file`, under no name of its own yet.

    Raises EncodeFailed, and whatever `pieces` raises; nothing is then left.
    """
    suffix = file.suffix.lower()
    if suffix not in ffmpeg.ARGUMENTS:
        raise EncodeFailed(
            f"{file.name}: clips can be saved as {', '.join(SUFFIXES)}.", "Choose one of these."
        )
    part = part_beside(file)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _check_space(file.parent, shape)
        ffmpeg.encode(part, suffix, shape, pieces, fps, recipe_text(portable(recipe, file.parent)))
        _check(part, shape)
    except OSError as error:
        drop(part)
        raise EncodeFailed(f"{file.name} cannot be written: {error.strerror or error}.") from error
    except BaseException:
        drop(part)
        raise
    return part


def place(part: Path, wanted: Path) -> Path:
    """Give a part file its name, or the next free one, without ever replacing a file; raises EncodeFailed."""
    try:
        return _place(part, wanted)
    except OSError as error:
        raise EncodeFailed(f"{wanted.name} cannot be written: {error.strerror or error}.") from error
    finally:
        drop(part)


def _check_space(folder: Path, shape: Shape) -> None:
    """A clip never compresses worse than this; better to know before than after."""
    free = shutil.disk_usage(folder).free
    if free < 3 * math.prod(shape) // 8 + 65536:
        raise EncodeFailed(f"The disk of {folder.name} is full ({free // 1024} KiB free).")


def _check(part: Path, shape: Shape) -> None:
    count, height, width = shape
    found = ffmpeg.count_frames(part, width, height)
    if found != count:
        raise EncodeFailed(f"ffmpeg wrote {found} of {count} frames.")
    with part.open("rb+") as file:
        os.fsync(file.fileno())


def _place(part: Path, wanted: Path) -> Path:
    for number in range(1, 10_000):
        target = wanted if number == 1 else wanted.with_stem(f"{wanted.stem}-{number}")
        if claim(part, target):
            return target
    raise EncodeFailed(f"There are too many clips called {wanted.stem} in {wanted.parent.name}.")
