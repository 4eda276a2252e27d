"""Copies LoRA files into the library: checked, whole or not at all, never over another file."""

import errno
import hashlib
import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from catalog.checkpoints import recognise
from catalog.errors import UnreadableFile
from catalog.folders import Folders
from catalog.header import read_header
from catalog.library import Entry, Known, Library
from catalog.on_the_way import part_beside
from catalog.scan import SUFFIXES, Watch, files_of, hash_file, identify_file, lora_files

Progress = Callable[[int, int], None]
"""Called with files done and files in all; also, with the same numbers, while a large file is copied.
What it raises stops the installation, and the file at hand leaves nothing behind."""

_CHUNK = 1 << 20
_LONGEST_STEM = 180  # bytes; leaves room for " (123).safetensors" within the 255 that file systems allow
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_RESERVED = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|clock\$|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE
)
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class InstallReport:
    """What became of the files: new entries; (dropped file, file with the same content); (file, why not)."""

    installed: tuple[Entry, ...] = ()
    duplicates: tuple[tuple[Path, Path], ...] = ()
    refused: tuple[tuple[Path, str], ...] = ()


@dataclass(slots=True)
class _Present:
    """The files that are already there, by size; only those of one size need comparing."""

    by_size: dict[int, list[Path]] = field(default_factory=lambda: defaultdict(list))

    def add(self, path: Path) -> None:
        try:
            self.by_size[path.stat().st_size].append(path)
        except OSError:
            pass  # gone again


def install(
    paths: Sequence[Path], folders: Folders, library: Library, progress: Progress | None = None
) -> InstallReport:
    """Installs files, and the .safetensors and .sft files of folders; the sources stay as they are."""
    report = progress or (lambda done, total: None)
    files = list(dict.fromkeys(_spread(paths)))
    present = _Present()
    for _, path in files_of(folders):
        present.add(path)
    installed: list[Entry] = []
    duplicates: list[tuple[Path, Path]] = []
    refused: list[tuple[Path, str]] = []
    for done, source in enumerate(files):
        report(done, len(files))
        try:
            found = _install_one(source, folders, library, present, partial(report, done, len(files)))
        except UnreadableFile as error:
            refused.append((source, str(error)))
        except OSError as error:
            refused.append((source, _why(error)))
        else:
            if isinstance(found, Entry):
                installed.append(found)
            else:
                duplicates.append((source, found))
    report(len(files), len(files))
    return InstallReport(tuple(installed), tuple(duplicates), tuple(refused))


def safe_name(name: str) -> str:
    """One component that Windows, macOS and Linux all accept, as near to `name` as can be."""
    text = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode("utf-8"))
    text = _FORBIDDEN.sub("_", "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Cs", "Co")))
    text = text.rstrip(" .")
    suffix = next((s for s in SUFFIXES if text.lower().endswith(s)), "")
    stem = (text[: -len(suffix)] if suffix else text).strip(" .")
    stem = stem.encode()[:_LONGEST_STEM].decode("utf-8", "ignore").strip(" .")
    if _RESERVED.fullmatch(stem) or stem.startswith("-"):
        stem = f"_{stem}"
    return f"{stem or 'lora'}{suffix.lower() or SUFFIXES[0]}"


def _spread(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from (file.absolute() for file in lora_files(path))
        else:
            yield path.absolute()


def _install_one(
    source: Path, folders: Folders, library: Library, present: _Present, watch: Watch
) -> Entry | Path:
    """The new entry, or the file that already has this content."""
    identity = identify_file(source)
    _check_is_no_model(source)
    size = source.stat().st_size
    twin = _twin(source, size, library, present, watch)
    if twin is not None:
        return twin
    folders.library.mkdir(parents=True, exist_ok=True)
    part = part_beside(folders.library / source.name)
    try:
        sha256 = _copy(source, part, watch)
        _check(source, part, size)
        target = _place(part, folders.library, safe_name(source.name))
    finally:
        part.unlink(missing_ok=True)
    stat = target.stat()
    library.remember(target, stat.st_size, stat.st_mtime_ns, Known(sha256, identity))
    present.add(target)
    return Entry(target, target.stem, stat.st_size, sha256, identity, "", "library")


def _check_is_no_model(source: Path) -> None:
    """Refuses what is itself a part of a model: it would be played as a LoRA, and may be huge."""
    found = recognise(read_header(source), source.name)
    if found.role != "other":
        raise UnreadableFile(f"It is a part of a model, not a LoRA: {found.title}.")


def _twin(source: Path, size: int, library: Library, present: _Present, watch: Watch) -> Path | None:
    rivals = present.by_size.get(size, [])
    if not rivals:
        return None
    sha256 = hash_file(source, watch)
    return next((rival for rival in rivals if known_hash(rival, library, watch) == sha256), None)


def known_hash(path: Path, library: Library, watch: Watch = lambda: None) -> str:
    """The SHA-256 of a file, remembered or worked out; "" when it cannot be read."""
    try:
        stat = path.stat()
        known = library.recall(path, stat.st_size, stat.st_mtime_ns)
        if known is not None and known.sha256:
            return known.sha256
        sha256 = hash_file(path, watch)
    except OSError:
        return ""
    library.remember(path, stat.st_size, stat.st_mtime_ns, Known(sha256, known.identity if known else None))
    return sha256


def _copy(source: Path, part: Path, watch: Watch) -> str:
    """Copies to a new file, down to the disk, and returns the SHA-256 of what was copied."""
    digest = hashlib.sha256()
    with source.open("rb") as read, part.open("xb") as write:
        while chunk := read.read(_CHUNK):
            digest.update(chunk)
            write.write(chunk)
            watch()
        write.flush()
        os.fsync(write.fileno())
    return digest.hexdigest()


def _check(source: Path, part: Path, size: int) -> None:
    """Refuses a copy that is not what was looked at before, as of a download that is still growing."""
    if part.stat().st_size != size or source.stat().st_size != size:
        raise UnreadableFile("The file changed while it was copied: is it still being downloaded?")
    read_header(part)


def _place(part: Path, folder: Path, name: str) -> Path:
    """Moves `part` to a name in `folder` that nobody has, in upper or lower case."""
    stem, suffix = os.path.splitext(name)
    number = 1
    while True:
        target = folder / (name if number == 1 else f"{stem} ({number}){suffix}")
        number += 1
        if target.name.casefold() in {unicodedata.normalize("NFC", n).casefold() for n in os.listdir(folder)}:
            continue
        try:
            # reserving the name first means that os.replace can only replace our own empty file
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            continue
        try:
            os.replace(part, target)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        _settle(folder)
        return target


def _settle(folder: Path) -> None:
    """Writes the folder itself to the disk, where systems know how to."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        except OSError:
            pass  # some network file systems refuse; the file itself is safe
        finally:
            os.close(handle)


def _why(error: OSError) -> str:
    if error.errno in _DISK_FULL:
        return "The disk of the library is full; nothing was changed."
    if isinstance(error, PermissionError):
        return "The file or the library may not be opened: permission denied."
    return f"The file cannot be copied: {error.strerror or 'the disk reports an error'}."
