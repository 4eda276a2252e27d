"""Installation copies whole files under safe names, over nothing, and refuses the rest without a trace."""

import hashlib
import os
import pickle
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import resources
from catalog.folders import Folders
from catalog.install import InstallReport, Progress, install, safe_name
from catalog.library import Library
from catalog.scan import scan
from tests.unit.catalog.builders import folders_in, names, sdxl_lora, tree, wan_lora, write

resource = pytest.importorskip("resource") if os.name != "nt" else None


def put(folders: Folders, paths: Sequence[Path], progress: Progress | None = None) -> InstallReport:
    with Library(folders.database) as library:
        return install(paths, folders, library, progress)


def test_a_dropped_file_is_copied_and_appears(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    source = write(tmp_path / "down" / "neon.safetensors", metadata={"trigger_word": "n30n"})
    before = tree(source.parent)
    report = put(folders, [source])
    (entry,) = report.installed
    assert entry.path == folders.library / "neon.safetensors"
    assert entry.path.read_bytes() == source.read_bytes()
    assert entry.sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
    assert entry.identity is not None
    assert entry.identity.trigger_words == ("n30n",)
    assert tree(source.parent) == before
    assert names(folders.library.iterdir()) == ["neon.safetensors"]
    with Library(folders.database) as library:
        assert list(scan(folders, library)) == [entry]


def test_a_folder_gives_its_lora_files(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    drop = tmp_path / "drop"
    write(drop / "a.safetensors", fill=1)
    write(drop / "deep" / "b.sft", fill=2)
    (drop / "readme.txt").write_text("hello")
    (drop / "page.safetensors").write_text("<html>")
    report = put(folders, [drop])
    assert names(e.path for e in report.installed) == ["a.safetensors", "b.sft"]
    assert [(path.name, "web page" in why) for path, why in report.refused] == [("page.safetensors", True)]
    assert names(folders.library.iterdir()) == ["a.safetensors", "b.sft"]


REFUSED = {
    "pickle.pt": (pickle.dumps([1]), "pickle"),
    "pickle.safetensors": (pickle.dumps([1]), "pickle"),
    "page.safetensors": (b"<!doctype html><html></html>", "web page"),
    "notes.txt": (b"just some words", "text file"),
    "empty.safetensors": (b"", "empty"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_anything_else_is_refused_by_its_name_and_nothing_changes(tmp_path: Path, name: str) -> None:
    folders = folders_in(tmp_path)
    write(folders.library / "old.safetensors")
    before = tree(folders.library)
    content, word = REFUSED[name]
    source = tmp_path / name
    source.write_bytes(content)
    report = put(folders, [source, tmp_path / "missing.safetensors"])
    assert report.installed == ()
    assert [path.name for path, _ in report.refused] == [name, "missing.safetensors"]
    assert word in report.refused[0][1]
    assert "not there" in report.refused[1][1]
    assert tree(folders.library) == before


def test_a_truncated_file_is_refused_with_numbers(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    source = write(tmp_path / "cut.safetensors")
    whole = source.read_bytes()
    source.write_bytes(whole[:-5])
    ((_, why),) = put(folders, [source]).refused
    assert f"{len(whole) - 5:,} of {len(whole):,} bytes" in why
    assert not folders.library.exists() or not list(folders.library.iterdir())


def test_a_valid_file_is_judged_by_content_not_by_suffix(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    source = write(tmp_path / "download.bin")
    (entry,) = put(folders, [source]).installed
    assert entry.path.name == "download.bin.safetensors"


def test_the_mislabelled_file_is_installed_and_says_what_it_is(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    source = write(tmp_path / "WaN 2.5 ultra.safetensors", sdxl_lora())
    (entry,) = put(folders, [source]).installed
    assert entry.identity is not None
    assert entry.identity.contradictions == ("The name says “WaN 2.5”, but the tensors are SDXL.",)


def test_the_same_content_is_recognised_under_any_name(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    write(folders.built_in / "shipped.safetensors", fill=9)
    first = write(tmp_path / "a.safetensors", fill=1)
    twin = write(tmp_path / "b.safetensors", fill=1)
    shipped = write(tmp_path / "c.safetensors", fill=9)
    report = put(folders, [first, twin, shipped, first])
    kept = folders.library / "a.safetensors"
    assert [entry.path for entry in report.installed] == [kept]
    assert report.duplicates == ((twin, kept), (shipped, folders.built_in / "shipped.safetensors"))
    assert put(folders, [first]).duplicates == ((first, kept),)
    assert names(folders.library.iterdir()) == ["a.safetensors"]


@pytest.mark.parametrize("taken", ["neon.safetensors", "NEON.safetensors", "Neon.SAFETENSORS"])
def test_nothing_is_ever_overwritten(tmp_path: Path, taken: str) -> None:
    folders = folders_in(tmp_path)
    old = write(folders.library / taken, fill=1)
    content = old.read_bytes()
    for number, fill in ((2, 2), (3, 3)):
        source = write(tmp_path / str(number) / "neon.safetensors", fill=fill)
        (entry,) = put(folders, [source]).installed
        assert entry.path.name == f"neon ({number}).safetensors"
    assert old.read_bytes() == content


def test_composed_and_decomposed_names_are_one(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    for number, form in enumerate(("NFC", "NFD")):
        source = write(tmp_path / str(number) / unicodedata.normalize(form, "é.safetensors"), fill=number)
        put(folders, [source])
    assert names(folders.library.iterdir()) == ["é (2).safetensors", "é.safetensors"]


@pytest.mark.skipif(os.name == "nt", reason="needs a limit on file sizes")
def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    assert resource is not None
    folders = folders_in(tmp_path)
    with Library(folders.database) as library:
        source = write(tmp_path / "big.safetensors", wan_lora(width=192, blocks=2, rank=64))
        old = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, old[1]))
        try:
            report = install([source], folders, library)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, old)
        assert report.refused == ((source, "The disk of the library is full; nothing was changed."),)
        assert list(folders.library.iterdir()) == []
        assert len(install([source], folders, library).installed) == 1


class Stop(Exception):
    """What a bridge raises from its progress when the window closes."""


def test_stopping_in_the_middle_leaves_no_half_file(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    sources = [write(tmp_path / f"{n}.safetensors", fill=n) for n in range(3)]
    calls = []

    def stop_in_the_second(done: int, total: int) -> None:
        calls.append((done, total))
        if calls.count((1, 3)) == 2:  # the first is its start, the second its first megabyte
            raise Stop

    with pytest.raises(Stop):
        put(folders, sources, stop_in_the_second)
    assert names(folders.library.iterdir()) == ["0.safetensors"]


def test_progress_counts_files(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    sources = [write(tmp_path / f"{n}.safetensors", fill=n) for n in range(3)]
    seen: list[tuple[int, int]] = []
    put(folders, sources, lambda done, total: seen.append((done, total)))
    assert sorted(set(seen)) == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert seen == sorted(seen)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("neon.safetensors", "neon.safetensors"),
        ("Neon ☀ éà.SafeTensors", "Neon ☀ éà.safetensors"),
        ("neon.sft", "neon.sft"),
        ("../../evil.safetensors", "_.._evil.safetensors"),
        ("..\\evil.safetensors", "_evil.safetensors"),
        ("C:evil.safetensors", "C_evil.safetensors"),
        ("CON.safetensors", "_CON.safetensors"),
        ("com1.tar.safetensors", "_com1.tar.safetensors"),
        ("a.safetensors.", "a.safetensors"),
        ("a.safetensors::$DATA", "a.safetensors__$DATA.safetensors"),
        ("-rf.safetensors", "_-rf.safetensors"),
        ("..", "lora.safetensors"),
        ("", "lora.safetensors"),
        (".safetensors", "lora.safetensors"),
        ("evil\u202egpj.safetensors", "evilgpj.safetensors"),
        ("line\nbreak.safetensors", "line_break.safetensors"),
    ],
)
def test_names_become_one_safe_component(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@given(st.text(max_size=300))
def test_every_name_becomes_one_that_windows_and_linux_accept(name: str) -> None:
    safe = safe_name(name)
    assert safe.endswith((".safetensors", ".sft"))
    assert len(safe.encode()) <= 240
    assert not set(safe) & set('<>:"/\\|?*\0')
    assert not any(ord(c) < 32 for c in safe)
    stem = safe.rsplit(".", 1)[0]
    assert stem == stem.strip(" ")
    assert stem.split(".")[0].rstrip(" ").upper() not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT9"}
    assert safe_name(safe) == safe


@pytest.mark.parametrize("part", ["transformer", "vae", "text_encoder"])
def test_a_part_of_a_model_is_not_copied_into_the_library(tmp_path: Path, part: str) -> None:
    folders = folders_in(tmp_path)
    report = put(folders, [resources.path("demo") / part])
    assert report.installed == () and "part of a model" in report.refused[0][1]
    assert not folders.library.exists() or not list(folders.library.iterdir())
