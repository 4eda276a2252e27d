"""Unfinished runs on disk: a folder per run with its recipe and the last kept steps."""

import contextlib
import logging
import os
import re
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from catalog.errors import CatalogError
from catalog.header import read_header
from engine.errors import CannotContinue
from engine.messages import Unfinished

log = logging.getLogger(__name__)

MOST_RUNS = 8
"""Unfinished runs beyond these are forgotten, oldest first."""
RECIPE = "recipe.json"
VALUES = "values"
"""Where a point's file keeps in its metadata what is no tensor."""
_POINT = re.compile(r"step-(\d{4})\.safetensors")
_FOLDER = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")
_LONG = 24 * 3600
"""Seconds after which a folder without a point is nobody's: another window may be at its first step."""
_OURS = re.compile(rf"{re.escape(RECIPE)}|{_POINT.pattern}|[^/]+\.part")


def new_folder(root: Path) -> Path:
    """A name under `root` that no other run has; `write` makes the folder."""
    return root / f"{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:8]}"


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
    from catalog.recipe_files import load  # with ffmpeg, for which the window need not wait

    try:
        recipe = load(folder / RECIPE)
        whole = [(step, file) for step, file in points_in(folder) if _is_whole(file)]
        if recipe.steps is None or not whole:
            return None
        step, file = max(whole)
        return Unfinished(folder, recipe, step, recipe.steps, file.stat().st_mtime)
    except (CatalogError, OSError) as error:
        log.info("%s holds no run that can be continued: %s", folder.name, error)
        return None


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
    """Forget the oldest unfinished runs when there are too many, and what runs left that died at their first step."""
    for run in unfinished(root)[MOST_RUNS:]:
        remove(run.folder)
    for folder in list(root.iterdir()) if root.is_dir() else ():
        if _FOLDER.fullmatch(folder.name) and _is_remains(folder):
            remove(folder)


def points_in(folder: Path) -> Iterator[tuple[int, Path]]:
    """The kept points in the folder of a run: their steps and files."""
    for file in list(folder.iterdir()):
        if match := _POINT.fullmatch(file.name):
            yield int(match[1]), file


def _is_remains(folder: Path) -> bool:
    try:
        is_old = time.time() - folder.stat().st_mtime > _LONG
        return is_old and not any(_is_whole(file) for _, file in points_in(folder))
    except OSError:
        return False


def _is_whole(file: Path) -> bool:
    try:
        return VALUES in read_header(file).metadata
    except CatalogError as error:
        log.info("%s is passed over: %s", file.name, error)
        return False
