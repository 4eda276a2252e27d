"""The catalog's thread tells the window about files, survives bad ones and ends when told to."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from catalog.bridge import CatalogBridge
from catalog.folders import Folders
from catalog.install import InstallReport
from catalog.library import Entry
from catalog.models import find_model
from tests.unit.catalog.builders import folders_in, names, sdxl_lora, wan_lora, write


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return folders_in(tmp_path)


@pytest.fixture
def bridge(folders: Folders, qtbot: QtBot) -> Iterator[CatalogBridge]:
    bridge = CatalogBridge(folders)
    yield bridge
    assert bridge.stop(60)


class Listener(QObject):
    """What the window would hear, in order; a QObject, so that nothing comes to it when it is gone."""

    def __init__(self, bridge: CatalogBridge) -> None:
        super().__init__()
        self.entries: dict[Path, Entry] = {}
        self.lost: list[Path] = []
        self.heard: list[str] = []
        bridge.found.connect(self._found)
        bridge.lost.connect(self._lost)
        bridge.scan_finished.connect(lambda count: self.heard.append(f"scanned {count}"))
        bridge.install_finished.connect(
            lambda report: self.heard.append(f"installed {len(report.installed)}")
        )

    def _found(self, entries: tuple[Entry, ...]) -> None:
        assert threading.current_thread() is threading.main_thread()
        self.entries.update((entry.path, entry) for entry in entries)
        self.heard.append("found")

    def _lost(self, paths: tuple[Path, ...]) -> None:
        self.lost.extend(paths)


def test_a_scan_announces_every_file(bridge: CatalogBridge, folders: Folders, qtbot: QtBot) -> None:
    for number in range(120):
        write(folders.library / f"{number}.safetensors", fill=number)
    (folders.library / "bad.safetensors").write_text("<html>")
    listener = Listener(bridge)
    with qtbot.waitSignal(bridge.scan_finished) as done:
        bridge.scan()
    assert done.args == [121]
    assert len(listener.entries) == 121
    assert "web page" in listener.entries[folders.library / "bad.safetensors"].problem
    qtbot.waitUntil(lambda: all(e.sha256 or e.problem for e in listener.entries.values()))


def test_files_that_vanish_are_reported(bridge: CatalogBridge, folders: Folders, qtbot: QtBot) -> None:
    gone, kept = (write(folders.library / f"{name}.safetensors") for name in ("gone", "kept"))
    listener = Listener(bridge)
    with qtbot.waitSignal(bridge.scan_finished):
        bridge.scan()
    gone.unlink()
    with qtbot.waitSignal(bridge.scan_finished):
        bridge.scan()
    assert listener.lost == [gone]
    assert kept in listener.entries


def test_an_unplugged_library_loses_nothing(
    bridge: CatalogBridge, folders: Folders, qtbot: QtBot, tmp_path: Path
) -> None:
    file = write(folders.library / "kept.safetensors")
    listener = Listener(bridge)
    with qtbot.waitSignal(bridge.scan_finished):
        bridge.scan()
    folders.library.rename(tmp_path / "unplugged")
    with (
        qtbot.waitSignal(bridge.failed) as said,
        qtbot.waitSignal(bridge.scan_finished),
    ):
        bridge.scan()
    assert str(folders.library) in said.args[0].title
    assert file in listener.entries and not listener.lost


def test_an_installed_file_is_found_before_the_report(
    bridge: CatalogBridge, folders: Folders, qtbot: QtBot, tmp_path: Path
) -> None:
    listener = Listener(bridge)
    bad = tmp_path / "bad.pt"
    bad.write_bytes(b"\x80\x02]q\x00.")
    good = write(tmp_path / "good.safetensors")
    progress: list[tuple[int, int]] = []
    bridge.install_progress.connect(lambda done, total: progress.append((done, total)))
    with qtbot.waitSignal(bridge.install_finished) as done:
        bridge.install([bad, good])
    report: InstallReport = done.args[0]  # type: ignore[index]
    assert names(entry.path for entry in report.installed) == ["good.safetensors"]
    assert [path for path, _ in report.refused] == [bad]
    assert listener.heard == ["found", "installed 1"]
    assert list(listener.entries) == [folders.library / "good.safetensors"]
    assert progress == [(0, 2), (1, 2), (2, 2)]


def test_a_surprise_is_reported_and_the_thread_lives_on(
    bridge: CatalogBridge, folders: Folders, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(bridge.failed) as failed:
        bridge.install([object()])  # type: ignore[list-item]
    assert failed.args is not None
    assert failed.args[0].title
    assert "AttributeError" in failed.args[0].details
    with qtbot.waitSignal(bridge.scan_finished):
        bridge.scan()


def test_stopping_leaves_no_thread_and_no_half_file(folders: Folders, qtbot: QtBot, tmp_path: Path) -> None:
    bridge = CatalogBridge(folders)
    sources = [write(tmp_path / f"{number}.safetensors", fill=number) for number in range(200)]
    with qtbot.waitSignal(bridge.install_progress):
        bridge.install(sources)
    assert bridge.stop(60)
    assert bridge._thread not in threading.enumerate()
    assert all(path.suffix == ".safetensors" for path in folders.library.iterdir())
    assert bridge.stop(60)


def test_a_drop_does_not_wait_for_the_hashes_of_the_library(
    bridge: CatalogBridge, folders: Folders, qtbot: QtBot, tmp_path: Path
) -> None:
    for number in range(200):
        write(folders.library / f"{number}.safetensors", fill=number)
    listener = Listener(bridge)
    with qtbot.waitSignal(bridge.install_finished):
        bridge.scan()
        bridge.install([write(tmp_path / "dropped.safetensors", wan_lora(width=32, blocks=1))])
    assert any(not entry.sha256 for entry in listener.entries.values())
    qtbot.waitUntil(lambda: all(entry.sha256 for entry in listener.entries.values()))


def test_coverage_follows_the_model_and_the_files(
    bridge: CatalogBridge, folders: Folders, qtbot: QtBot
) -> None:
    write(folders.library / "old.safetensors", wan_lora())
    heard: dict[str, str] = {}
    bridge.covered.connect(lambda said: heard.update((c.path.name, c.tally.tone) for c in said))
    with qtbot.waitSignal(bridge.scan_finished):
        bridge.scan()
    with qtbot.waitSignal(bridge.covered):
        bridge.choose_model(find_model("demo"))
    assert heard == {"old.safetensors": "good"}
    dropped = write(folders.library.parent / "dropped" / "new.safetensors", sdxl_lora())
    with qtbot.waitSignal(bridge.covered):
        bridge.install([dropped])
    assert heard == {"old.safetensors": "good", "new.safetensors": "refused"}


def test_a_model_is_chosen_once(bridge: CatalogBridge, folders: Folders, qtbot: QtBot) -> None:
    write(folders.library / "old.safetensors", wan_lora())
    model = find_model("demo")
    bridge.choose_model(model)
    with qtbot.waitSignal(bridge.covered):
        bridge.scan()
    with qtbot.assertNotEmitted(bridge.covered), qtbot.waitSignal(bridge.explained) as explained:
        bridge.choose_model(model)
        bridge.explain(folders.library / "old.safetensors")
    assert explained.args[0].cover.coverage.modules == 20
