"""The whole window on the demo model: drop, play, move a fader mid-run, export, open the clip again."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

import resources
from catalog.folders import Folders
from catalog.recipe_files import load
from engine.messages import StepFinished
from ui.app import Program, open_session
from ui.drop_overlay import DropOverlay

PATIENCE = 240_000
NONE = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(
        tmp_path / "loras", resources.path("demo") / "loras", tmp_path / "outputs", tmp_path / "state"
    )


@pytest.fixture
def program(qtbot: QtBot, folders: Folders) -> Iterator[Program]:
    """A newcomer's window over the real engine, with the demo model loaded and an empty desk."""
    program = Program(folders, lambda _device: open_session("cpu"))
    with qtbot.waitSignals([program.catalog.scan_finished, program.bridge.model_loaded], timeout=PATIENCE):
        program.show()
    for strip in program.mix.strips:
        program.mix.remove(strip.id)
    yield program
    program.window.close()


def drop(window: QWidget, file: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file))])
    copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    QApplication.sendEvent(window, QDragEnterEvent(QPoint(300, 300), copy, data, left, NONE))
    overlay = window.findChild(DropOverlay)
    assert overlay is not None
    QApplication.sendEvent(overlay, QDropEvent(QPointF(300, 300), copy, data, left, NONE))


def test_a_newcomer_plays_a_clip_and_gets_it_back(
    qtbot: QtBot, program: Program, folders: Folders, tmp_path: Path
) -> None:
    mine = tmp_path / "downloads" / "my neon.safetensors"
    mine.parent.mkdir()
    shutil.copy(resources.path("demo") / "loras" / "halo.safetensors", mine)
    mine.write_bytes(_renamed(mine.read_bytes()))
    with qtbot.waitSignal(program.catalog.install_finished, timeout=PATIENCE) as installed:
        drop(program.window, mine)
    (entry,) = installed.args[0].installed
    assert entry.path.parent == folders.library and mine.exists()

    with qtbot.waitSignal(program.bridge.adapter_attached, timeout=PATIENCE):
        strip = program.mix.add(entry.path, entry)
    program.mix.set_strength(strip, "high", 1.0)
    program.mix.set_strength(strip, "low", 1.0)

    heard: list[StepFinished] = []

    def move_at_step_3(event: StepFinished) -> None:
        heard.append(event)
        if event.step == 3:
            for expert in ("high", "low"):
                program.mix.set_strength(strip, expert, -0.5)

    program.run.step_finished.connect(move_at_step_3)
    program.run.lock_seed(True)
    with qtbot.waitSignal(program.run.finished, timeout=PATIENCE) as finished:
        QTest.keyClick(program.window, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    strengths = [dict(event.strengths)[strip] for event in heard]
    assert strengths[:4] == [1.0] * 4 and strengths[5:] == [-0.5] * (len(strengths) - 5)
    assert len(heard) == program.run.settings.steps
    assert {e.expert for e in heard} == {"high", "low"}

    clip = finished.args[0]
    assert clip.file.parent == folders.outputs and clip.frames.std() > 10
    exported = tmp_path / "exported.webm"
    with qtbot.waitSignal(program.bridge.exported, timeout=PATIENCE):
        program.run.export(exported)
    for file in (clip.file, exported):
        assert list(load(file).loras[0].per_step) == strengths

    program.mix.remove(strip)
    with qtbot.waitSignal(program.bridge.adapter_attached, timeout=PATIENCE):
        assert program.recipes.open(clip.file)
    assert [s.path for s in program.mix.strips] == [entry.path]
    with qtbot.waitSignal(program.run.finished, timeout=PATIENCE) as again:
        program.run.generate()
    assert np.array_equal(again.args[0].frames, clip.frames)


def _renamed(data: bytes) -> bytes:
    """The same weights as another file: its metadata says another title, so its content is new."""
    from safetensors.numpy import load as read
    from safetensors.numpy import save

    return save(read(data), {"modelspec.title": "my neon"})


def test_closing_mid_run_is_clean(qtbot: QtBot, program: Program, folders: Folders) -> None:
    with qtbot.waitSignal(program.run.step_finished, timeout=PATIENCE):
        program.run.generate()
    program.window.close()
    assert not program.window.isVisible()
    assert not folders.outputs.exists() or not list(folders.outputs.iterdir())
