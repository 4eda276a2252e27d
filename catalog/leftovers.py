"""What a crash leaves of files on their way to the library and of clips: hidden, under names that no user gives."""

import contextlib
import os
import time
from pathlib import Path

from catalog.on_the_way import PART

_LONG = 24 * 3600
"""Seconds without a change after which nobody is writing any more."""


def sweep(folder: Path) -> None:
    """Delete such files, left for a day, from a folder and those in it; raises nothing."""
    for place in (str(folder), *_folders_in(folder)):
        with contextlib.suppress(OSError), os.scandir(place) as found:
            for file in found:
                if PART.fullmatch(file.name) and file.is_file(follow_symlinks=False) and _is_old(file):
                    os.unlink(file.path)


def _folders_in(folder: Path) -> list[str]:
    with contextlib.suppress(OSError), os.scandir(folder) as found:
        return [each.path for each in found if each.is_dir(follow_symlinks=False)]
    return []


def _is_old(file: "os.DirEntry[str]") -> bool:
    return time.time() - file.stat(follow_symlinks=False).st_mtime > _LONG
