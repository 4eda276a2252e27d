"""Notices that files were copied into the library by other means."""

import os
from pathlib import Path

Stamp = frozenset[tuple[str, int]]


class LibraryWatch:
    """Compares when the library's folder and the folders in it were last changed; reads no file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen = _stamp(folder)

    def has_changed(self) -> bool:
        """Whether files came or went since this was last asked."""
        before, self._seen = self._seen, _stamp(self._folder)
        return self._seen != before


def _stamp(folder: Path) -> Stamp:
    try:
        with os.scandir(folder) as found:
            inner = {(each.name, each.stat().st_mtime_ns) for each in found if each.is_dir()}
        return frozenset(inner | {("", folder.stat().st_mtime_ns)})
    except OSError:
        return frozenset()  # not there, or not now
