"""How much memory the computer has, and how much of it is free for us, without torch."""

import ctypes
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of one device's memory; `free` is what can still be taken."""

    free: int
    total: int


def host_memory() -> Memory:
    """The computer's own memory, or what a container allows of it. Unknown counts as 8 GiB, half of it free."""
    if sys.platform == "linux":
        return _of_linux()
    if sys.platform == "win32":
        return _of_windows()
    total = _sysconf("SC_PHYS_PAGES")
    return Memory(total // 2, total) if total else Memory(4 << 30, 8 << 30)


def reset_peak() -> None:
    """Let `peak` count from what is in memory now; only Linux can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", "ascii")


def peak() -> int:
    """The most bytes that this process had in memory since `reset_peak`; 0 where that cannot be known."""
    try:
        return _numbers(Path("/proc/self/status").read_text("ascii")).get("VmHWM", 0)
    except OSError:
        return 0


def _of_linux() -> Memory:
    fields = _numbers(Path("/proc/meminfo").read_text("ascii"))
    total = fields.get("MemTotal", 8 << 30)
    free = fields.get("MemAvailable", total // 2)
    limit, used = _file("memory.max"), _file("memory.current")
    if limit is None or used is None or limit >= total:
        return Memory(free, total)
    # pages of files are given up before the container is refused anything
    stat = _numbers((_CGROUP / "memory.stat").read_text("ascii"), 1)
    return Memory(min(free, limit - used + stat.get("file", 0)), limit)


def _numbers(text: str, unit: int = 1024) -> dict[str, int]:
    """Lines "name: number kB" as bytes."""
    rows = (line.replace(":", " ").split() for line in text.splitlines())
    return {row[0]: int(row[1]) * unit for row in rows if len(row) > 1 and row[1].isdigit()}


def _file(name: str) -> int | None:
    try:
        text = (_CGROUP / name).read_text("ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def _sysconf(name: str) -> int:
    if not hasattr(os, "sysconf") or name not in os.sysconf_names:
        return 0
    return os.sysconf(name) * os.sysconf("SC_PAGE_SIZE")


class _Status(ctypes.Structure):
    """MEMORYSTATUSEX of the Windows API."""

    _fields_ = (
        ("length", ctypes.c_uint32),
        ("load", ctypes.c_uint32),
        *((name, ctypes.c_uint64) for name in ("total", "free", "d", "e", "f", "g", "h")),
    )


def _of_windows() -> Memory:
    status = _Status(length=ctypes.sizeof(_Status))
    kernel = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined,unused-ignore]
    if not kernel.GlobalMemoryStatusEx(ctypes.byref(status)):
        return Memory(4 << 30, 8 << 30)
    return Memory(int(status.free), int(status.total))
