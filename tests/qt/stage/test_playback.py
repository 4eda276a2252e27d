"""The clock of the picture."""

import pytest
from pytestqt.qtbot import QtBot

from tests.fakes import picture
from ui.stage.playback import Playback


@pytest.fixture
def playback(qtbot: QtBot) -> Playback:
    playback = Playback()
    playback.show(picture(1, 5), 50)
    return playback


def test_it_plays_in_a_loop(qtbot: QtBot, playback: Playback) -> None:
    seen: list[int] = []
    playback.frame_changed.connect(seen.append)
    qtbot.waitUntil(lambda: len(seen) >= 6)
    assert seen[:6] == [1, 2, 3, 4, 0, 1]


def test_without_loop_it_stops_at_the_end_and_starts_again(qtbot: QtBot, playback: Playback) -> None:
    playback.set_looping(False)
    qtbot.waitUntil(lambda: not playback.is_playing)
    assert playback.frame == 4
    playback.toggle()
    assert playback.frame == 0 and playback.is_playing


def test_stepping_pauses_and_the_ends_meet(playback: Playback) -> None:
    playback.step(-1)
    assert (playback.frame, playback.is_playing) == (4, False)
    playback.step(1)
    assert playback.frame == 0


@pytest.mark.parametrize(("wanted", "got"), [(-3, 0), (2, 2), (99, 4)])
def test_seeking_stays_within_the_clip(playback: Playback, wanted: int, got: int) -> None:
    playback.seek(wanted)
    assert playback.frame == got


def test_speed_changes_the_clock(playback: Playback) -> None:
    assert playback._timer.interval() == 20
    playback.set_speed(0.25)
    assert playback._timer.interval() == 80


def test_another_clip_goes_on_at_the_same_moment(playback: Playback) -> None:
    playback.show(picture(1, 10), 16)
    playback.seek(5)
    playback.show(picture(2, 4), 16)
    assert playback.frame == 2


def test_still_and_empty_clips_do_not_tick(playback: Playback) -> None:
    playback.show(picture(1, 1), 16)
    assert not playback._timer.isActive()
    playback.show(picture(1, 3, width=0), 16)
    assert playback.count == 0 and not playback._timer.isActive()
    playback.step(1)
    playback.seek(4)
    assert playback.frame == 0
