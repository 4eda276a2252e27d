"""A scan finds every file once, survives every file, and is quick the second time."""

import hashlib
import os
from pathlib import Path

import pytest

from catalog.folders import Folders
from catalog.library import Entry, Library
from catalog.scan import lora_files, scan
from tests.unit.catalog.builders import folders_in, names, tree, write


def look(folders: Folders) -> dict[str, Entry]:
    """The last news about each file."""
    with Library(folders.database) as library:
        return {entry.path.name: entry for entry in scan(folders, library)}


def test_every_file_is_found_with_its_hash(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    paths = [
        write(folders.library / "one.safetensors"),
        write(folders.library / "sub" / "two.SAFETENSORS", fill=2),
        write(folders.library / "three.sft", fill=3),
        write(folders.built_in / "four.safetensors", fill=4),
    ]
    found = look(folders)
    assert sorted(found) == names(paths)
    for path in paths:
        entry = found[path.name]
        assert entry.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert (entry.path, entry.name, entry.size) == (path, path.stem, path.stat().st_size)
        assert entry.identity is not None
        assert entry.identity.is_wan
        assert entry.problem == ""
    assert found["four.safetensors"].origin == "built in"
    assert found["one.safetensors"].origin == "library"


def test_one_bad_file_is_an_entry_with_a_reason(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    (folders.library / "trap.safetensors").mkdir(parents=True)
    (folders.library / "page.safetensors").write_text("<html>log in</html>")
    (folders.library / "gone.safetensors").symlink_to(tmp_path / "nowhere")
    write(folders.library / "good.safetensors")
    found = look(folders)
    assert sorted(found) == ["good.safetensors", "page.safetensors"]
    assert "web page" in found["page.safetensors"].problem
    assert found["page.safetensors"].identity is None
    assert found["page.safetensors"].sha256 == ""


def test_cards_come_before_their_hashes(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    for number in range(3):
        write(folders.library / f"{number}.safetensors", fill=number)
    with Library(folders.database) as library:
        first = list(scan(folders, library))
        assert [bool(entry.sha256) for entry in first] == [False] * 3 + [True] * 3
        assert [bool(entry.sha256) for entry in scan(folders, library)] == [True] * 3


def test_the_second_scan_reads_no_file(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    path = write(folders.library / "a.safetensors")
    before = look(folders)["a.safetensors"]
    stat = path.stat()
    path.write_bytes(b"\xf3" * stat.st_size)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert look(folders)["a.safetensors"] == before


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    path = write(folders.library / "a.safetensors", fill=1)
    before = look(folders)["a.safetensors"]
    write(path, fill=2)
    os.utime(path, ns=(1, 1))
    after = look(folders)["a.safetensors"]
    assert after.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert after.sha256 != before.sha256


def test_folders_that_are_not_there_are_empty(tmp_path: Path) -> None:
    assert look(Folders(tmp_path / "a", tmp_path / "b", tmp_path / "c", tmp_path / "d")) == {}


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside" / "linked.safetensors").parent
    library = tmp_path / "loras"
    write(library / "here.safetensors")
    (library / "away").symlink_to(outside)
    (outside / "back").symlink_to(library)
    assert names(lora_files(library)) == ["here.safetensors", "linked.safetensors"]


def test_hidden_files_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path / ".half.safetensors")
    assert list(lora_files(tmp_path)) == []


def test_nothing_in_the_library_is_touched(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    write(folders.library / "a.safetensors")
    (folders.library / "b.safetensors").write_text("text")
    before = tree(folders.library)
    look(folders)
    assert tree(folders.library) == before


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_a_name_that_is_not_utf8_does_not_stop_a_scan(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    write(folders.library / os.fsdecode(b"b\xffd.safetensors"))
    write(folders.library / "good.safetensors", fill=2)
    assert len(look(folders)) == 2
    assert len(look(folders)) == 2


def test_what_a_download_tool_claims_is_held_against_the_tensors(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    file = write(folders.library / "halo.safetensors")
    file.with_suffix(".civitai.info").write_text('{"baseModel": "SDXL 1.0"}')
    entry = look(folders)["halo.safetensors"]
    assert entry.identity and any("SDXL" in sentence for sentence in entry.identity.contradictions)
