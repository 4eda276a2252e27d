"""What this machine has, and what is missing, without importing what may be broken."""

import ctypes
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from catalog.folders import chosen, default_folders

# What Qt's libraries link to on Linux, and the Debian package that brings it.
_QT_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libglib-2.0.so.0": "libglib2.0-0",
}
_X11_LIBRARIES = {
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
}
_PACKAGES = ("PySide6_Essentials", "torch", "diffusers", "transformers", "safetensors", "imageio-ffmpeg")

Line = tuple[str, str, bool]
"""What, how it is, and whether that is well."""


def doctor() -> int:
    """Print what is there and what is missing; 0 when nothing is missing, else 2."""
    lines = [line for check in _CHECKS for line in check()]
    for what, found, is_well in lines:
        sys.stdout.write(f"{'ok ' if is_well else 'no '} {what:<14} {found}\n")
    return 0 if all(is_well for _, _, is_well in lines) else 2


def missing_for_a_window() -> str:
    """One sentence on why no window can open here, or ""."""
    missing = _missing_libraries()
    if missing:
        return f"Qt needs system libraries that are missing: sudo apt install {' '.join(missing)}"
    if find_spec("PySide6") is None:
        return "Qt is not installed: python packaging/run.py sets everything up."
    if not _has_display():
        return "There is no display to open a window on; `render`, `inspect` and `doctor` work without one."
    return ""


def _has_display() -> bool:
    if sys.platform != "linux" or os.environ.get("QT_QPA_PLATFORM"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _missing_libraries() -> list[str]:
    """Debian packages that Qt needs on Linux and that are not there."""
    if sys.platform != "linux":
        return []
    wanted = dict(_QT_LIBRARIES)
    if os.environ.get("QT_QPA_PLATFORM", "xcb").startswith("xcb") and not os.environ.get("WAYLAND_DISPLAY"):
        wanted |= _X11_LIBRARIES
    return [package for name, package in wanted.items() if not _loads(name)]


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _python() -> list[Line]:
    return [("Python", f"{platform.python_version()} on {platform.platform()}", sys.version_info >= (3, 11))]


def _packages() -> list[Line]:
    lines: list[Line] = []
    for name in _PACKAGES:
        try:
            lines.append((name, version(name), True))
        except PackageNotFoundError:
            lines.append((name, "not installed", False))
    return lines


def _window() -> list[Line]:
    missing = _missing_libraries()
    if missing:
        return [("Qt libraries", f"missing: sudo apt install {' '.join(missing)}", False)]
    lines: list[Line] = [("Qt libraries", "all there", True)]
    if not _has_display():
        lines.append(("display", "none; the window needs one, render and inspect do not", True))
    return lines


def _device() -> list[Line]:
    """Asked in a process of its own: a broken CUDA must not take the doctor with it."""
    code = (
        "from engine.inference import device as d; x = d.choose('auto'); m = d.memory(x);"
        "print(d.describe(x)); print(x.type, m.free, m.total)"
    )
    root = Path(__file__).resolve().parent.parent
    try:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            capture_output=True, text=True, cwd=root, timeout=120, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return [("device", "PyTorch did not answer within two minutes", False)]
    if done.returncode != 0:
        return [("device", (done.stderr.strip().splitlines() or ["PyTorch cannot be imported"])[-1], False)]
    name, numbers = done.stdout.strip().splitlines()[-2:]
    return [("device", name, True), ("memory", _memory(), True), *_plans(*numbers.split())]


def _plans(device: str, free: str, total: str) -> list[Line]:
    """Where the parts of each known model would be."""
    from engine.doctor_memory import planned  # beside the window's start, which asks for libraries only
    from engine.host_memory import Memory

    memory = Memory(int(free), int(total))
    return [("plan", f"{title}: {said}", True) for title, said in planned(device, memory)]


def _memory() -> str:
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB of RAM"
    return "unknown"


def _ffmpeg() -> list[Line]:
    try:
        import imageio_ffmpeg

        return [("ffmpeg", imageio_ffmpeg.get_ffmpeg_version(), True)]
    except (ImportError, RuntimeError, OSError) as error:
        return [("ffmpeg", f"{error}", False)]


def _folders() -> list[Line]:
    folders = chosen(default_folders())
    named = {"LoRA library": folders.library, "clips": folders.outputs, "notes and log": folders.state}
    return [(name, _folder(path), _is_writable(path)) for name, path in named.items()]


def _folder(path: Path) -> str:
    if not path.exists():
        return f"{path} (made when first needed)"
    return str(path) if _is_writable(path) else f"{path} cannot be written"


def _is_writable(path: Path) -> bool:
    while not path.exists() and path != path.parent:
        path = path.parent
    return os.access(path, os.W_OK)


_CHECKS: tuple[Callable[[], list[Line]], ...] = (_python, _packages, _window, _device, _ffmpeg, _folders)
