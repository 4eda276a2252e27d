"""Downloads the files of a model into a folder: room looked at first, every file whole or not there."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from catalog.download_file import PAUSES, fetch, received
from catalog.errors import DownloadFailed, HubError
from catalog.hub import Hub, HubFile
from catalog.install import safe_name
from catalog.pace import Pace

PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
"""Files that run code when they are opened; they are never downloaded."""
_WEIGHTS = (".safetensors", ".sft", ".gguf")
_TEXTS = (".json", ".model", ".txt", ".md", ".jinja")
_UNITS = (("GiB", 30), ("MiB", 20), ("KiB", 10))


@dataclass(frozen=True, slots=True)
class Item:
    """A file of the Hub and where it will be."""

    file: HubFile
    target: Path

    @property
    def received(self) -> int:
        """How many of its bytes seem to be there, by sizes alone."""
        return received(self.file, self.target)

    @property
    def is_here(self) -> bool:
        """Whether it is there, by its size alone."""
        try:
            return self.target.stat().st_size == self.file.size
        except OSError:
            return False


@dataclass(frozen=True, slots=True)
class Progress:
    """Bytes of all files; speed in bytes per second and the seconds left, both 0 while they are unknown.

    `is_checking` while what is there already is compared with what it should be.
    """

    name: str
    done: int
    total: int
    speed: float = 0.0
    seconds: float = 0.0
    is_checking: bool = False


def may_be_had(file: HubFile) -> bool:
    """Whether a file is weights or text that can be checked; never a pickle, never a program."""
    suffix = PurePosixPath(file.path).suffix.lower()
    name = PurePosixPath(file.path).name
    is_known = suffix in _WEIGHTS or suffix in _TEXTS or name.startswith("LICENSE")
    return is_known and suffix not in PICKLES and bool(file.sha256 or file.blob)


def place(file: HubFile, folder: Path) -> Item:
    """Where a file goes: the repository's own folder in `folder`, and there as it lies on the Hub.

    HubError for a name that would lead elsewhere, or that some system does not take.
    """
    parts = file.path.split("/")
    if not all(_is_plain(part) for part in parts):
        raise HubError(f"{file.repository} has a file with an unsafe name: {file.path!r}.", "Tell its owner.")
    return Item(file, folder.joinpath(file.repository.split("/")[-1], *parts))


def missing(items: Sequence[Item]) -> int:
    """How many bytes are still to come."""
    return sum(item.file.size - item.received for item in items)


def size_words(size: int) -> str:
    """Bytes in the unit in which they are short."""
    for unit, power in _UNITS:
        if size >= 1 << power:
            return f"{size / (1 << power):.1f} {unit}"
    return f"{size} bytes"


def free_space(folder: Path) -> int:
    """The free bytes of the disk on which a folder lies or will lie."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(there).free


class Download:
    """One download. `tell` hears of it all the time, on the caller's thread; what it raises ends it, and all
    that has come is kept for the next time."""

    def __init__(
        self,
        items: Sequence[Item],
        hub: Hub,
        tell: Callable[[Progress], None],
        free: Callable[[Path], int] = free_space,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        # small files come last, model_index.json among them: half a folder is then no model
        self._items = sorted(items, key=lambda item: -item.file.size)
        self._hub, self._tell, self._free, self._pauses = hub, tell, free, pauses
        self._pace = Pace()
        self._total = sum(item.file.size for item in items)
        self._finished = self._came = 0

    def run(self) -> None:
        """Download what is missing. CatalogError says what stops it."""
        self._check_room()
        for item in self._items:
            self._now, self._had = item, item.received
            _check_inside(item)
            fetch(item.file, item.target, self._hub, self._report, self._pauses)
            self._came += item.file.size - self._had
            self._finished += item.file.size

    def _check_room(self) -> None:
        wanted = missing(self._items)
        if not wanted:
            return
        folder = self._items[0].target.parent
        try:
            free = self._free(folder)
        except OSError as error:
            raise DownloadFailed(f"{folder} cannot be reached.", "Is the disk connected?") from error
        if free < wanted:
            raise DownloadFailed(
                f"{size_words(wanted)} are still to come, and the disk has {size_words(free)} free.",
                "Make room, or choose a folder on another disk.",
            )

    def _report(self, received: int, is_checking: bool) -> None:
        done = self._finished + received
        speed = 0.0 if is_checking else self._pace.take(self._came + received - self._had)
        seconds = (self._total - done) / speed if speed else 0.0
        name = self._now.target.name
        self._tell(Progress(name, min(done, self._total), self._total, speed, seconds, is_checking))


def _is_plain(part: str) -> bool:
    suffix = PurePosixPath(part).suffix
    return (
        part not in ("", ".", "..") and safe_name(f"{part}.sft") == f"{part}.sft" and suffix == suffix.strip()
    )


def _check_inside(item: Item) -> None:
    """A link in the folder must not lead the file out of it."""
    home = item.target
    for _ in item.file.path.split("/"):
        home = home.parent
    if not item.target.parent.resolve().is_relative_to(home.resolve()):
        raise DownloadFailed(f"A link in {home} leads elsewhere.", "Choose another folder.")
