"""The transport scrubs, plays and names what is on the stage."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices
from pytestqt.qtbot import QtBot

from tests.fakes import FakeSession
from tests.qt.stage.conftest import finish
from ui.stage.panel import StagePanel
from ui.stage.reveal import reveal
from ui.state.run import RunState


def test_nothing_to_play_before_the_first_clip(stage: StagePanel) -> None:
    transport = stage.transport
    assert not transport.play.isEnabled() and not transport.slider.isEnabled()
    assert stage.take_row.isHidden() and transport.counter.text() == ""


def test_scrubbing_shows_the_frame(
    qtbot: QtBot, run: RunState, stage: StagePanel, session: FakeSession
) -> None:
    finish(qtbot, run, session)
    stage.transport.slider.setValue(8)
    assert (stage.playback.frame, stage.playback.is_playing) == (8, False)
    assert stage.transport.counter.text() == " 9 / 17 · 0.50 s"
    qtbot.keyClick(stage.transport.slider, Qt.Key.Key_Right)
    assert stage.playback.frame == 9


def test_the_slider_follows_the_clock_without_stopping_it(
    qtbot: QtBot, run: RunState, stage: StagePanel, session: FakeSession
) -> None:
    finish(qtbot, run, session)
    qtbot.waitUntil(lambda: stage.transport.slider.value() >= 2)
    assert stage.playback.is_playing


def test_play_says_what_it_will_do(
    qtbot: QtBot, run: RunState, stage: StagePanel, session: FakeSession
) -> None:
    finish(qtbot, run, session)
    play = stage.transport.play
    assert play.accessibleName() == "Pause"
    qtbot.mouseClick(play, Qt.MouseButton.LeftButton)
    assert play.accessibleName() == "Play" and not stage.playback.is_playing


def test_speed_menu(stage: StagePanel) -> None:
    actions = stage.transport._speeds.actions()
    assert [action.text() for action in actions] == ["0.25×", "0.5×", "1×", "2×", "4×"]
    actions[0].trigger()
    assert stage.playback.speed == 0.25 and stage.transport._speed.text() == "0.25×"


def test_reveal_opens_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    opened: list[str] = []
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    reveal(tmp_path / "clip.mp4")
    assert opened == [tmp_path.as_posix()]
