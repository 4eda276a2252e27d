"""Clips as files: written beside, decoded to be sure, then moved into place; the recipe travels inside."""

import os
import re
import shutil
import unicodedata
import uuid
from pathlib import Path

from catalog.portable import portable
from catalog.recipe import Recipe
from catalog.recipe import dumps as recipe_text
from engine import ffmpeg
from engine.errors import EncodeFailed
from engine.messages import Frames
from engine.worker import Clip

SUFFIXES = tuple(ffmpeg.ARGUMENTS)


def save(file: Path, frames: Frames, fps: int, recipe: Recipe) -> None:
    """Write a clip to a file that the user named, replacing it only when the new one is sound.

    Raises EncodeFailed; a file that was there before is then untouched, and nothing is left beside it.
    """
    part = _encoded_beside(file, frames, fps, recipe)
    try:
        os.replace(part, file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise EncodeFailed(f"{file.name} cannot be written: {error.strerror}.") from error


def save_clip(folder: Path, clip: Clip) -> Path:
    """Write a finished run as .mp4 into a folder under a name of its own; never onto a file that exists."""
    assert clip.recipe.fps is not None
    file = folder / f"{file_stem(clip.recipe)}.mp4"
    part = _encoded_beside(file, clip.frames, clip.recipe.fps, clip.recipe)
    try:
        return _place(part, file)
    finally:
        part.unlink(missing_ok=True)


def file_stem(recipe: Recipe) -> str:
    """A name made of the prompt and the seed: one safe component on every system, never empty."""
    plain = unicodedata.normalize("NFKD", recipe.prompt).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:48].strip("-")
    return f"{words or 'clip'}-seed-{recipe.seed}"


def _encoded_beside(file: Path, frames: Frames, fps: int, recipe: Recipe) -> Path:
    suffix = file.suffix.lower()
    if suffix not in ffmpeg.ARGUMENTS:
        raise EncodeFailed(
            f"{file.name}: clips can be saved as {', '.join(SUFFIXES)}.", "Choose one of these."
        )
    part = file.with_name(f".{uuid.uuid4().hex}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _check_space(file.parent, frames)
        ffmpeg.encode(part, suffix, frames, fps, recipe_text(portable(recipe, file.parent)))
        _check(part, frames)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise EncodeFailed(f"{file.name} cannot be written: {error.strerror or error}.") from error
    except EncodeFailed:
        part.unlink(missing_ok=True)
        raise
    return part


def _check_space(folder: Path, frames: Frames) -> None:
    """A clip never compresses worse than this; better to know before than after."""
    free = shutil.disk_usage(folder).free
    if free < frames.nbytes // 8 + 65536:
        raise EncodeFailed(f"The disk of {folder.name} is full ({free // 1024} KiB free).")


def _check(part: Path, frames: Frames) -> None:
    count, height, width, _ = frames.shape
    found = ffmpeg.count_frames(part, width, height)
    if found != count:
        raise EncodeFailed(f"ffmpeg wrote {found} of {count} frames.")
    with part.open("rb+") as file:
        os.fsync(file.fileno())


def _place(part: Path, wanted: Path) -> Path:
    """Give a part file its name, or the next free one, without ever replacing a file."""
    for number in range(1, 10_000):
        target = wanted if number == 1 else wanted.with_stem(f"{wanted.stem}-{number}")
        try:
            os.link(part, target)  # unlike a rename, this fails when the name is taken
        except FileExistsError:
            continue
        except OSError:  # a file system without hard links
            if target.exists():
                continue
            os.rename(part, target)
        return target
    raise EncodeFailed(f"There are too many clips called {wanted.stem} in {wanted.parent.name}.")
