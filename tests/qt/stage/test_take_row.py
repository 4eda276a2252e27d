"""The row under the timeline: the clip's file, its export, and drafts."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from tests.fakes import FakeSession
from tests.qt.stage.conftest import Recorder, finish
from ui.stage import file_button
from ui.stage.panel import StagePanel
from ui.state.run import RunState


def test_the_saved_file_is_named_and_shown_in_its_folder(
    qtbot: QtBot, run: RunState, stage: StagePanel, session: FakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Path] = []
    monkeypatch.setattr(file_button, "reveal", shown.append)
    finish(qtbot, run, session)
    button = stage.take_row.file
    assert button.text() == "a red ball 7.mp4" and str(Path("/clips/a red ball 7.mp4")) in button.toolTip()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert shown == [Path("/clips/a red ball 7.mp4")]


def test_a_clip_that_was_not_saved_says_so(
    qtbot: QtBot, run: RunState, stage: StagePanel, session: FakeSession, recorder: Recorder
) -> None:
    recorder.is_full = True
    finish(qtbot, run, session)
    row = stage.take_row
    assert row.words.text() == "Not saved" and row.file.isHidden() and row.export.isVisible()
    assert not row.can_keep, "a draft can be kept; this one wants to be exported"


def test_long_words_never_widen_the_stage(
    qtbot: QtBot, run: RunState, stage: StagePanel, session: FakeSession
) -> None:
    finish(qtbot, run, session)
    finish(qtbot, run, session)
    stage.showing.pin(1)
    stage.take_row.words.setText("a very long name of a LoRA 1.00 · " * 20)
    assert stage.minimumSizeHint().width() <= 520
    assert stage.take_row.words.toolTip().count("very long") == 20
