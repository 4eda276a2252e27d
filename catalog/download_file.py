"""Downloads one file: beside its place, going on where it stopped, and there only when it is right."""

import errno
import hashlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Self

from catalog.errors import DownloadFailed, NoNetwork
from catalog.hub import Hub, HubFile
from catalog.on_the_way import claim, drop

Tell = Callable[[int, bool], None]
"""Called often, with how many bytes of the file there are, and whether these are only being checked. What it
raises ends the download; what has come is kept."""

PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds between attempts that bring nothing new."""
_CHUNK = 1 << 20
_BEYOND = 1 << 62  # where Windows locks a byte, so that every other can be read
_TOO_LONG = 0.1


def part_of(file: HubFile, target: Path) -> Path:
    """Where the file grows; another content grows in another part."""
    return target.with_name(f".{target.name}.{(file.sha256 or file.blob)[:12]}.part")


def received(file: HubFile, target: Path) -> int:
    """How many bytes of the file there seem to be, by sizes alone."""
    for path in (target, part_of(file, target)):
        try:
            return min(path.stat().st_size, file.size)
        except OSError:
            continue
    return 0


def fetch(file: HubFile, target: Path, hub: Hub, tell: Tell, pauses: Sequence[float] = PAUSES) -> None:
    """Have the file at `target`, with the content that the Hub says it has.

    One that is there already stays if it is the same; CatalogError says so if it is another, as it says
    everything else that goes wrong.
    """
    try:
        if target.exists():
            _check_same(file, target, tell)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        part = part_of(file, target)
        with _Part(part, file) as growing:
            growing.look(tell)
            _receive(growing, file, hub, tell, pauses)
            growing.settle()
        if growing.digest != expected(file):
            part.unlink()
            raise DownloadFailed(f"{target.name} did not come whole: its hash is wrong. It was thrown away.")
        _place(part, target)
    except OSError as error:
        raise DownloadFailed(*disk_words(error, target)) from error


def expected(file: HubFile) -> str:
    """The hash that the content must have: SHA-256, or git's for small files."""
    return (file.sha256 or file.blob).lower().removeprefix("0x")


def disk_words(error: OSError, target: Path) -> tuple[str, str]:
    """What the disk's refusal means, and what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full: {target.name} is not complete.", "Make room, then resume the download."
    if error.errno == errno.EFBIG:
        return f"The disk cannot hold a file as large as {target.name}.", "Choose a folder on another disk."
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return f"Nothing may be written in {target.parent}.", "Choose another folder."
    return f"{target.name} cannot be written: {error.strerror or 'the disk reports an error'}.", "Try again."


class _Part:
    """The file while it grows, with the hash of what is in it; nobody else may write to it."""

    def __init__(self, path: Path, file: HubFile) -> None:
        self._file = file
        self._handle: IO[bytes] = path.open("a+b")
        self.size = 0
        self._hash = _new_hash(file)
        try:
            _claim(self._handle)
        except OSError as error:
            self._handle.close()
            raise DownloadFailed(
                f"{file.path} is being downloaded by another window.", "Wait until it is there."
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._handle.close()

    @property
    def digest(self) -> str:
        """The hash of all that has come."""
        return self._hash.hexdigest()

    def look(self, tell: Tell) -> None:
        """Go through what an earlier download left."""
        self._handle.seek(0)
        while chunk := self._handle.read(_CHUNK):
            self._hash.update(chunk)
            self.size += len(chunk)
            tell(self.size, True)
        if self.size > self._file.size:
            self.go_back()

    def write(self, chunk: bytes) -> None:
        """Add what has come; more than the file's size is left out."""
        chunk = chunk[: self._file.size - self.size]
        self._handle.write(chunk)
        self._hash.update(chunk)
        self.size += len(chunk)

    def go_back(self) -> None:
        """Begin anew."""
        self._handle.seek(0)
        self._handle.truncate()
        self.size, self._hash = 0, _new_hash(self._file)

    def settle(self) -> None:
        """Down to the disk."""
        self._handle.flush()
        os.fsync(self._handle.fileno())


def _receive(part: _Part, file: HubFile, hub: Hub, tell: Tell, pauses: Sequence[float]) -> None:
    failures = 0
    while part.size < file.size:
        before, problem = part.size, NoNetwork(f"The connection ended before {file.path} was complete.")
        try:
            with hub.open(file, part.size) as answer:
                if answer.start != part.size:
                    part.go_back()
                for chunk in answer.chunks:
                    part.write(chunk)
                    tell(part.size, False)
                    if part.size == file.size:
                        return
        except NoNetwork as error:
            problem = error
        failures = 0 if part.size > before else failures + 1
        if failures > len(pauses):
            raise problem
        _pause(pauses[max(0, failures - 1)] if pauses else 0.0, lambda: tell(part.size, False))


def _pause(seconds: float, watch: Callable[[], None]) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        watch()
        time.sleep(min(left, _TOO_LONG))


def _check_same(file: HubFile, target: Path, tell: Tell) -> None:
    if target.is_file() and target.stat().st_size == file.size:
        digest, size = _new_hash(file), 0
        with target.open("rb") as handle:
            while chunk := handle.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                tell(size, True)
        if digest.hexdigest() == expected(file):
            return
    raise DownloadFailed(
        f"Another {target.name} is in {target.parent} already; it was left as it is.",
        "Choose another folder, or move that file away.",
    )


def _new_hash(file: HubFile) -> "hashlib._Hash":
    """SHA-256, or git's hash of a file of this size, where the Hub knows no other."""
    if file.sha256:
        return hashlib.sha256()
    return hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False)


def _place(part: Path, target: Path) -> None:
    """Give the part its name, which nobody has."""
    if not claim(part, target):
        raise DownloadFailed(f"A file called {target.name} has appeared in {target.parent} meanwhile.")
    drop(part)


if sys.platform == "win32":
    import msvcrt

    def _claim(handle: IO[bytes]) -> None:
        handle.seek(_BEYOND)
        msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _claim(handle: IO[bytes]) -> None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:
            pass  # some network file systems know no locks
