"""Looks through the folders with LoRA files and says what each file is."""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from catalog.errors import UnreadableFile
from catalog.folders import Folders
from catalog.header import read_header, read_scalars
from catalog.identify import Identity, identify, scalar_names
from catalog.library import Entry, Known, Library, Origin
from catalog.sidecar import base_model

SUFFIXES = (".safetensors", ".sft")
_CHUNK = 1 << 20


Watch = Callable[[], None]
"""Called again and again during long work; what it raises ends the work."""


def scan(folders: Folders, library: Library, watch: Watch = lambda: None) -> Iterator[Entry]:
    """Every LoRA file of the library and of those built in; a bad one comes with its problem.

    A file that was never hashed comes twice: at once without its sha256, and again, after all others have
    come, with it.
    """
    unhashed: list[Entry] = []
    for entry in listing(folders, library):
        yield entry
        if is_unhashed(entry):
            unhashed.append(entry)
    for entry in unhashed:
        hashed = with_hash(entry, library, watch)
        if hashed is not None:
            yield hashed


def listing(folders: Folders, library: Library) -> Iterator[Entry]:
    """Every file once, quickly: with its hash only where that is known already."""
    for origin, path in files_of(folders):
        entry = examine(path, origin, library)
        if entry is not None:
            yield entry


def is_unhashed(entry: Entry) -> bool:
    """Whether a hash is still to be worked out; unreadable files get none."""
    return not entry.sha256 and not entry.problem


def files_of(folders: Folders) -> Iterator[tuple[Origin, Path]]:
    """The files that count as LoRA files by their names, the library's first."""
    for path in lora_files(folders.library):
        yield "library", path
    for path in lora_files(folders.built_in):
        yield "built in", path


def lora_files(root: Path) -> Iterator[Path]:
    """The .safetensors and .sft files under `root`, in order; links are followed, but never in circles."""
    seen: set[tuple[int, int]] = set()
    for folder, subfolders, names in os.walk(root, followlinks=True):
        try:
            here = os.stat(folder)
        except OSError:
            subfolders.clear()
            continue
        if (here.st_dev, here.st_ino) in seen:
            subfolders.clear()
            continue
        seen.add((here.st_dev, here.st_ino))
        subfolders.sort()
        for name in sorted(names):
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield Path(folder, name)


def examine(path: Path, origin: Origin, library: Library) -> Entry | None:
    """What `path` is, without reading its weights; None when it is no longer there."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        return Entry(path, path.stem, 0, "", None, f"The file cannot be read: {error.strerror}.", origin)
    entry = Entry(path, path.stem, stat.st_size, "", None, "", origin)
    known = library.recall(path, stat.st_size, stat.st_mtime_ns)
    if known is not None and known.identity is not None:
        return replace(entry, sha256=known.sha256, identity=known.identity)
    try:
        identity = identify_file(path)
    except UnreadableFile as error:
        return replace(entry, problem=str(error))
    sha256 = known.sha256 if known is not None else ""
    library.remember(path, stat.st_size, stat.st_mtime_ns, Known(sha256, identity))
    return replace(entry, sha256=sha256, identity=identity)


def with_hash(entry: Entry, library: Library, watch: Watch = lambda: None) -> Entry | None:
    """The entry with the hash of its file; None when the file went away or changed meanwhile."""
    try:
        before = entry.path.stat()
        sha256 = hash_file(entry.path, watch)
        after = entry.path.stat()
    except OSError:
        return None
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        return None
    library.remember(entry.path, after.st_size, after.st_mtime_ns, Known(sha256, entry.identity))
    return replace(entry, sha256=sha256, size=after.st_size)


def identify_file(path: Path) -> Identity:
    """What the LoRA file at `path` is; UnreadableFile when it is none."""
    header = read_header(path)
    scalars = read_scalars(path, header, scalar_names(header))
    return identify(header, named(path), scalars, base_model(path))


def named(path: Path) -> str:
    """A file's name with its folder before it, as `identify` wants it."""
    return "/".join(path.parts[-2:])


def hash_file(path: Path, watch: Watch = lambda: None) -> str:
    """The SHA-256 of a whole file; `watch` is called at every megabyte and may raise to stop."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            watch()
    return digest.hexdigest()
