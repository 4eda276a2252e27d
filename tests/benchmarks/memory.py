"""How much memory a piece of work needed at its worst, as Linux counts it."""

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_PROCESS = Path("/proc/self")


@contextmanager
def peak_noted(into: MutableMapping[str, Any]) -> Iterator[None]:
    """Put the resident memory that the work added at its peak, in MB, under “peak MB”: of several rounds the most, as
    later ones use the memory of the first again. Nothing elsewhere than on Linux."""
    if not (_PROCESS / "clear_refs").exists():
        yield
        return
    (_PROCESS / "clear_refs").write_text("5")  # forgets the peak so far
    before = _kilobytes("VmRSS")
    yield
    added = round((_kilobytes("VmHWM") - before) / 1000)
    into["peak MB"] = max(added, into.get("peak MB", 0))


def _kilobytes(name: str) -> int:
    lines = (_PROCESS / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
