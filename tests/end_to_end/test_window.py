"""The whole window on the demo model: drop, play, move a fader mid-run, export, open the clip again."""

import shutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

import resources
from catalog.folders import Folders
from catalog.recipe_files import load
from engine.messages import Event, StepFinished
from tests.end_to_end.acts import PATIENCE, drop
from ui.app import Program


def test_a_newcomer_plays_a_clip_and_gets_it_back(
    qtbot: QtBot, bare: Program, folders: Folders, tmp_path: Path
) -> None:
    mine = tmp_path / "downloads" / "my neon.safetensors"
    mine.parent.mkdir()
    shutil.copy(resources.path("demo") / "loras" / "halo.safetensors", mine)
    mine.write_bytes(_renamed(mine.read_bytes()))
    with qtbot.waitSignal(bare.catalog.install_finished, timeout=PATIENCE) as installed:
        drop(bare.window, mine)
    (entry,) = installed.args[0].installed
    assert entry.path.parent == folders.library and mine.exists()

    with qtbot.waitSignal(bare.bridge.adapter_attached, timeout=PATIENCE):
        strip = bare.mix.add(entry.path, entry)
    bare.mix.set_strength(strip, "high", 1.0)
    bare.mix.set_strength(strip, "low", 1.0)

    heard: list[StepFinished] = []
    has_moved = threading.Event()

    def move_at_step_3(event: StepFinished) -> None:
        heard.append(event)
        if event.step == 3:
            for expert in ("high", "low"):
                bare.mix.set_strength(strip, expert, -0.5)
            has_moved.set()

    bare.run.step_finished.connect(move_at_step_3)
    wait_after_step_3(bare, has_moved)
    bare.run.lock_seed(True)
    with qtbot.waitSignal(bare.run.finished, timeout=PATIENCE) as finished:
        QTest.keyClick(bare.window, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    strengths = [dict(event.strengths)[strip] for event in heard]
    assert strengths == [1.0] * 4 + [-0.5] * (len(strengths) - 4)
    assert len(heard) == bare.run.settings.steps
    assert {e.expert for e in heard} == {"high", "low"}

    clip = finished.args[0]
    assert clip.file.parent == folders.outputs and clip.frames.std() > 10
    exported = tmp_path / "exported.webm"
    with qtbot.waitSignal(bare.bridge.exported, timeout=PATIENCE):
        bare.run.export(exported)
    for file in (clip.file, exported):
        assert list(load(file).loras[0].per_step) == strengths

    bare.mix.remove(strip)
    with qtbot.waitSignal(bare.bridge.adapter_attached, timeout=PATIENCE):
        assert bare.recipes.open(clip.file)
    assert [s.path for s in bare.mix.strips] == [entry.path]
    with qtbot.waitSignal(bare.run.finished, timeout=PATIENCE) as again:
        bare.run.generate()
    assert np.array_equal(again.args[0].frames, clip.frames)


def wait_after_step_3(program: Program, go_on: threading.Event) -> None:
    """Let the engine be no quicker than the hand: it waits with step 4, as a large model would anyway."""
    worker = program.bridge._worker
    post = worker._post

    def told(event: Event) -> None:
        post(event)
        if isinstance(event, StepFinished) and event.step == 3:
            go_on.wait(PATIENCE / 1000)

    worker._post = told


def _renamed(data: bytes) -> bytes:
    """The same weights as another file: its metadata says another title, so its content is new."""
    from safetensors.numpy import load as read
    from safetensors.numpy import save

    return save(read(data), {"modelspec.title": "my neon"})


def test_closing_mid_run_is_clean(qtbot: QtBot, bare: Program, folders: Folders) -> None:
    bare.run.change(replace(bare.run.settings, steps=100))
    with qtbot.waitSignal(bare.run.step_finished, timeout=PATIENCE):
        bare.run.generate()
    bare.window.close()
    assert not bare.window.isVisible()
    assert not folders.outputs.exists() or not list(folders.outputs.iterdir())
