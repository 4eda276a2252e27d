"""What is known about the LoRA files on disk, kept in SQLite so that a second look is quick."""

import json
import logging
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from catalog.identify import RULES, Identity

Origin = Literal["library", "built in"]

_log = logging.getLogger(__name__)
_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    sha256 TEXT NOT NULL, rules INTEGER NOT NULL, identity TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS files_by_hash ON files (sha256);
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One LoRA file as the catalog shows it; `path` says which one, everything else may be news about it.

    `name` is the file's name without its suffix. A file that cannot be read has a `problem` (one sentence)
    and no identity. `sha256` is "" for such a file and while the hash is not known yet.
    """

    path: Path
    name: str
    size: int
    sha256: str
    identity: Identity | None
    problem: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Known:
    """What was found out about a file when it had this size and time."""

    sha256: str
    identity: Identity | None


class Library:
    """The memory of the catalog. It can be rebuilt from the files, so it never stands in anyone's way:
    a broken database is moved aside, and where none can be kept on disk it lives in memory.

    One object belongs to one thread; several may have the same database open.
    """

    def __init__(self, database: Path) -> None:
        self._db = _open(database)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the database."""
        self._db.close()

    def recall(self, path: Path, size: int, mtime_ns: int) -> Known | None:
        """What is known about the file, unless it has changed since."""
        rows = self._run(
            "SELECT sha256, rules, identity FROM files WHERE path = ? AND size = ? AND mtime_ns = ?",
            (_text(path), size, mtime_ns),
        )
        if not rows:
            return None
        sha256, rules, identity = rows[0]
        return Known(sha256, _identity(identity) if rules == RULES else None)

    def remember(self, path: Path, size: int, mtime_ns: int, known: Known) -> None:
        """Keeps what was found out about the file."""
        identity = json.dumps(asdict(known.identity)) if known.identity else ""
        self._run(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)",
            (_text(path), size, mtime_ns, known.sha256, RULES, identity),
        )

    def forget(self, paths: Iterable[Path]) -> None:
        """Drops what is known about files that are gone."""
        for path in paths:
            self._run("DELETE FROM files WHERE path = ?", (_text(path),))

    def paths(self) -> tuple[Path, ...]:
        """Every file that is known."""
        return tuple(_path(row[0]) for row in self._run("SELECT path FROM files ORDER BY path"))

    def with_hash(self, sha256: str) -> tuple[Path, ...]:
        """The files that had this content when they were last looked at."""
        rows = self._run("SELECT path FROM files WHERE sha256 = ? AND sha256 != '' ORDER BY path", (sha256,))
        return tuple(_path(row[0]) for row in rows)

    def _run(self, statement: str, values: tuple[Any, ...] = ()) -> list[Any]:
        # a locked or full disk costs time at the next scan, never the scan itself
        try:
            with self._db:
                return self._db.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            _log.warning("the catalog's database: %s", error)
            return []


def _open(file: Path) -> sqlite3.Connection:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            return _connect(file)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            _move_aside(file, error)
            return _connect(file)
    except (OSError, sqlite3.Error) as error:
        _log.warning("the catalog's database cannot be kept on disk: %s", error)
        return _connect(Path(":memory:"))


def _connect(file: Path) -> sqlite3.Connection:
    db = sqlite3.connect(file, timeout=5)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        if db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("the database is damaged")
        if db.execute("PRAGMA user_version").fetchone()[0] > _VERSION:
            raise sqlite3.OperationalError("the database belongs to a newer version")
        db.executescript(_SCHEMA)
        db.execute(f"PRAGMA user_version = {_VERSION}")
        db.commit()
    except BaseException:
        db.close()
        raise
    return db


def _move_aside(file: Path, error: sqlite3.Error) -> None:
    aside = file.with_name(f"{file.stem}.broken-{time.strftime('%Y%m%d-%H%M%S')}{file.suffix}")
    _log.warning("the catalog's database was moved to %s and is rebuilt: %s", aside.name, error)
    file.replace(aside)
    for tail in ("-wal", "-shm"):
        file.with_name(file.name + tail).unlink(missing_ok=True)


def _text(path: Path) -> str:
    # names that are not UTF-8 hold lone surrogates, which SQLite cannot store
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _path(text: str) -> Path:
    return Path(text)


def _identity(text: str) -> Identity | None:
    if not text:
        return None
    try:
        # JSON has no tuples
        values: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(text).items()
        }
        return Identity(**values)
    except (ValueError, TypeError, AttributeError):
        return None
