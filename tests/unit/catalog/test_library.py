"""The catalog's memory helps and never hinders."""

import sqlite3
from pathlib import Path

import pytest

from catalog.identify import identify
from catalog.library import Known, Library
from tests.unit.catalog.builders import header_of, names, wan_lora

KNOWN = Known("ab" * 32, identify(header_of(wan_lora()), "neon_low_noise.safetensors"))


def test_what_is_remembered_comes_back_equal(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "catalog.sqlite"
    with Library(file) as library:
        library.remember(tmp_path / "ünïcode '%_;--.sft", 10, 20, KNOWN)
    with Library(file) as library:
        assert library.recall(tmp_path / "ünïcode '%_;--.sft", 10, 20) == KNOWN
        assert library.with_hash(KNOWN.sha256) == (tmp_path / "ünïcode '%_;--.sft",)
        assert library.with_hash("") == ()


def test_a_changed_file_is_unknown(tmp_path: Path) -> None:
    with Library(tmp_path / "c.sqlite") as library:
        library.remember(tmp_path / "a", 10, 20, KNOWN)
        assert library.recall(tmp_path / "a", 11, 20) is None
        assert library.recall(tmp_path / "a", 10, 21) is None
        assert library.recall(tmp_path / "b", 10, 20) is None


def test_forgotten_files_are_gone(tmp_path: Path) -> None:
    with Library(tmp_path / "c.sqlite") as library:
        for name in ("a", "b"):
            library.remember(tmp_path / name, 1, 1, KNOWN)
        library.forget([tmp_path / "a", tmp_path / "never known"])
        assert names(library.paths()) == ["b"]


@pytest.mark.parametrize(
    "content", [b"this is no database", b"SQLite format 3\0" + b"\xff" * 4000, bytes(8192)]
)
def test_a_broken_database_is_moved_aside_and_rebuilt(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "catalog.sqlite"
    file.write_bytes(content)
    with Library(file) as library:
        library.remember(tmp_path / "a", 1, 1, KNOWN)
        assert library.recall(tmp_path / "a", 1, 1) == KNOWN
    aside = list(tmp_path.glob("catalog.broken-*.sqlite"))
    assert [path.read_bytes() for path in aside] == [content]
    with Library(file) as library:
        assert library.recall(tmp_path / "a", 1, 1) == KNOWN


def test_a_damaged_page_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "catalog.sqlite"
    with Library(file) as library:
        for number in range(300):
            library.remember(tmp_path / f"{number}", 1, 1, KNOWN)
    content = bytearray(file.read_bytes())
    content[4096 * 2 : 4096 * 6] = b"\xee" * (4096 * 4)
    file.write_bytes(content)
    with Library(file) as library:
        assert library.paths() == ()
    assert list(tmp_path.glob("catalog.broken-*"))


def test_the_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "catalog.sqlite"
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA user_version = 99")
        db.execute("CREATE TABLE files (tags TEXT)")
    db.close()
    with Library(file) as library:
        library.remember(tmp_path / "a", 1, 1, KNOWN)
        assert library.recall(tmp_path / "a", 1, 1) == KNOWN
    with sqlite3.connect(file) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (99,)
        assert db.execute("SELECT * FROM files").fetchall() == []
    db.close()


def test_without_a_place_on_disk_it_lives_in_memory(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    with Library(tmp_path / "state" / "catalog.sqlite") as library:
        library.remember(tmp_path / "a", 1, 1, KNOWN)
        assert library.recall(tmp_path / "a", 1, 1) == KNOWN


def test_two_may_have_it_open(tmp_path: Path) -> None:
    file = tmp_path / "c.sqlite"
    with Library(file) as one, Library(file) as two:
        one.remember(tmp_path / "a", 1, 1, KNOWN)
        assert two.recall(tmp_path / "a", 1, 1) == KNOWN


def test_an_identity_that_cannot_be_read_is_worked_out_again(tmp_path: Path) -> None:
    file = tmp_path / "c.sqlite"
    with Library(file) as library:
        library.remember(tmp_path / "a", 1, 1, KNOWN)
    with sqlite3.connect(file) as db:
        db.execute("UPDATE files SET identity = '{\"unknown field\": 1}'")
    db.close()
    with Library(file) as library:
        assert library.recall(tmp_path / "a", 1, 1) == Known(KNOWN.sha256, None)
