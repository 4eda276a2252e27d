"""Audition, from the button of a strip to both clips on the stage and a verdict on the strip."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from engine.errors import OutOfMemory
from engine.live import LiveControls
from engine.worker import Clip, Generate, Post
from tests.fakes import FakeSession, strengths_of
from tests.qt.conftest import HashingSession
from ui.app import Program
from ui.desk.strip import StripView
from ui.desk.verdict_chip import VerdictChip
from ui.stage.compare import Compare
from ui.state.audition import Audition


class AudibleSession(HashingSession):
    """A fake whose pictures get the brighter, in one half, the more a strip called halo plays."""

    def __init__(self) -> None:
        super().__init__()
        self.failure: OutOfMemory | None = None
        self.is_short = False
        """Whether every second clip lacks half of its frames, so that no two can be compared."""

    def run(self, command: Generate, post: Post) -> Clip:
        clip = super().run(command, post)
        halo = [a for a, path in self.attached.items() if path.stem == "halo"]
        steps = clip.recipe.steps or 6
        heard = sum(
            dict(strengths_of(command.live.mix, step, steps)).get(halo[0], 0) for step in range(steps)
        )
        frames = np.zeros((17, 64, 64, 3), np.uint8)
        frames[:, :, ::2] = 100
        frames[:, 32:] += np.uint8(round(60 * heard / steps))
        frames.flags.writeable = False
        if self.is_short and len(self.played) % 2 == 0:
            frames = frames[:9]
        latents = np.linspace(-1, 1, 1024, dtype=np.float32).reshape(1, 16, 1, 8, 8)
        return replace(clip, frames=frames, latents=latents * np.float32(1 + heard / steps))

    def _wait(self, live: LiveControls) -> None:
        super()._wait(live)
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure


@pytest.fixture
def session() -> Iterator[AudibleSession]:
    session = AudibleSession()
    yield session
    session.is_free = True


@pytest.fixture
def bench(two_strips: Program) -> Program:
    """The window with halo, which is seen, and giant, which is not."""
    two_strips.window.activateWindow()
    return two_strips


def parts(bench: Program) -> tuple[Audition, Compare, StripView, StripView]:
    return bench.audition, bench.window.stage.compare, *bench.window.desk.views  # type: ignore[return-value]


def chip(view: StripView) -> VerdictChip:
    found = view.findChild(VerdictChip)
    assert isinstance(found, VerdictChip)
    return found


def judged(bench: Program) -> bool:
    return bench.audition.trial is not None and bench.audition.trial.verdict is not None


def hear(bench: Program, qtbot: QtBot, session: FakeSession, view: StripView) -> None:
    session.is_free = True
    QTest.keyClick(view, Qt.Key.Key_A)
    qtbot.waitUntil(lambda: judged(bench))


def test_a_strip_is_compared_with_and_without_it(bench: Program, qtbot: QtBot, session: FakeSession) -> None:
    audition, compare, halo, _ = parts(bench)
    QTest.mouseClick(halo._head.audition, Qt.MouseButton.LeftButton)
    assert compare.isVisible() and not bench.window.stage.player.isVisible()
    session.is_free = True
    qtbot.waitUntil(lambda: judged(bench))
    assert audition.trial is not None and set(audition.trial.clips) == {"with", "without"}
    played, muted = (audition.trial.clips[side].frames for side in ("with", "without"))
    assert played.mean() > muted.mean() and bench.window.stage.playback.frames is played
    assert compare.word.text() == "Clear" and "of 255 levels" in compare.sentence.text()
    assert "noise floor" in compare.header.toolTip()
    assert chip(halo).isVisible() and chip(halo).text() == "clear"
    assert not bench.run.takes.all and bench.run.phase == "idle"
    assert list(bench.settings.outputs.glob("*")) == [] if bench.settings.outputs.exists() else True


def test_what_changes_nothing_is_told_so_without_a_third_run(
    bench: Program, qtbot: QtBot, session: FakeSession
) -> None:
    _, compare, _, giant = parts(bench)
    hear(bench, qtbot, session, giant)
    assert compare.word.text() == "No measurable effect" and "bit for bit" in compare.sentence.text()
    assert chip(giant).text() == "no effect" and chip(giant).property("badge") == "look"
    assert len(session.played) == 2


def test_only_the_strip_differs_whatever_happens_to_the_desk_meanwhile(
    bench: Program, qtbot: QtBot, session: FakeSession
) -> None:
    audition, _, halo, giant = parts(bench)
    before = bench.mix.mix
    QTest.keyClick(halo, Qt.Key.Key_A)
    bench.mix.set_strength(giant.id, "low", -1.0)
    bench.mix.set_strength(halo.id, "low", 0.25)
    session.is_free = True
    qtbot.waitUntil(lambda: judged(bench))
    heard = {strip.adapter: (strip.high, strip.low) for mix in session.heard for strip in mix.strips}
    assert heard[giant.id] == (before.strips[1].high, before.strips[1].low)
    assert audition.verdict(halo.id) is None, "it was heard at another strength"


def test_what_was_rendered_is_taken_over(bench: Program, qtbot: QtBot, session: FakeSession) -> None:
    _, _, halo, _ = parts(bench)
    session.is_free = True
    with qtbot.waitSignal(bench.run.finished):
        bench.run.generate()
    steps = len(session.heard)
    hear(bench, qtbot, session, halo)
    assert len(session.heard) == 3 * steps, "with it all is there; without it and the noise are rendered"
    hear(bench, qtbot, session, halo)
    assert len(session.heard) == 3 * steps


def test_a_verdict_holds_until_the_strength_or_the_model_changes(
    bench: Program, qtbot: QtBot, session: FakeSession
) -> None:
    audition, _, halo, _ = parts(bench)
    hear(bench, qtbot, session, halo)
    bench.mix.set_muted(halo.id, True)
    assert audition.verdict(halo.id) is not None and chip(halo).isVisible()
    bench.mix.set_muted(halo.id, False)
    bench.mix.set_strength(halo.id, "low", 0.5)
    assert audition.verdict(halo.id) is None and not chip(halo).isVisible()
    hear(bench, qtbot, session, halo)
    with qtbot.waitSignal(bench.bridge.model_loaded):
        bench.bridge.load_model("demo")
    assert audition.trial is None and not chip(halo).isVisible()


def test_views_and_divider_by_key(bench: Program, qtbot: QtBot, session: FakeSession) -> None:
    _, compare, halo, _ = parts(bench)
    hear(bench, qtbot, session, halo)
    picture = compare.picture
    for key, view in ((Qt.Key.Key_3, "difference"), (Qt.Key.Key_2, "side by side"), (Qt.Key.Key_1, "wipe")):
        QTest.keyClick(compare, key)
        assert picture.view == view and compare.buttons[view].isChecked()
        assert len(picture.areas) == (2 if view == "side by side" else 1)
    assert picture.divider == 0.5
    QTest.keyClick(compare, Qt.Key.Key_Right)
    assert picture.divider == pytest.approx(0.52)
    for _ in range(20):
        QTest.keyClick(compare, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert picture.divider == 0.0


def test_the_wipe_shows_one_clip_on_each_side_of_the_divider(
    bench: Program, qtbot: QtBot, session: FakeSession
) -> None:
    _, compare, halo, _ = parts(bench)
    hear(bench, qtbot, session, halo)
    picture, area = compare.picture, compare.picture.areas[0].toRect()
    bench.window.stage.playback.seek(3)
    QTest.mouseClick(
        picture, Qt.MouseButton.LeftButton, pos=QPoint(area.left() + area.width() // 4, area.center().y())
    )
    assert picture.divider == pytest.approx(0.25, abs=0.01)

    def brightness(share: float) -> float:
        shown = picture.grab().toImage()
        y = area.top() + int(area.height() * 0.8)
        x = area.left() + int(area.width() * share)
        return sum(shown.pixelColor(x + dx, y).lightness() for dx in range(8)) / 8

    assert brightness(0.1) > brightness(0.6) + 20
    compare.choose("difference")
    assert brightness(0.1) == pytest.approx(brightness(0.6), abs=2) and brightness(0.1) > 150


def test_both_clips_follow_the_transport(bench: Program, qtbot: QtBot, session: FakeSession) -> None:
    _, compare, halo, _ = parts(bench)
    hear(bench, qtbot, session, halo)
    playback = bench.window.stage.playback
    assert playback.count == 17
    playback.seek(11)
    assert compare.picture.frame == 11
    QTest.keyClick(compare, Qt.Key.Key_Period)
    assert compare.picture.frame == 12 == playback.frame


@pytest.mark.parametrize("key", ["Esc", "Esc on the strip", "close"])
def test_one_comes_back_to_the_clip_and_the_strip(
    bench: Program, qtbot: QtBot, session: FakeSession, key: str
) -> None:
    audition, compare, halo, _ = parts(bench)
    session.is_free = True
    with qtbot.waitSignal(bench.run.finished):
        bench.run.generate()
    clip, stage = bench.run.takes.current, bench.window.stage
    halo.setFocus()
    hear(bench, qtbot, session, halo)
    assert clip is not None and stage.playback.frames is not clip.frames
    if key == "Esc":
        QTest.keyClick(compare, Qt.Key.Key_Escape)
    elif key == "Esc on the strip":
        halo.setFocus()
        QTest.keyClick(halo, Qt.Key.Key_Escape)
    else:
        QTest.mouseClick(compare.close_button, Qt.MouseButton.LeftButton)
    assert audition.trial is None and stage.player.isVisible() and stage.playback.frames is clip.frames
    assert bench.window.focusWidget() is halo
    assert chip(halo).isVisible(), "the verdict stays"


def test_leaving_stops_what_is_rendered(bench: Program, qtbot: QtBot, session: FakeSession) -> None:
    audition, compare, halo, _ = parts(bench)
    QTest.keyClick(halo, Qt.Key.Key_A)
    with qtbot.waitSignal(audition.changed, check_params_cb=lambda: audition.trial.step == 1):  # type: ignore[union-attr]
        session.steps.put(None)
    assert "Step 1 of" in compare.sentence.text()
    with qtbot.waitSignal(bench.bridge.apart):  # the cancelled run
        QTest.keyClick(compare, Qt.Key.Key_Escape)
    assert audition.trial is None and not compare.isVisible() and len(session.heard) <= 2
    assert audition.verdict(halo.id) is None


def test_esc_in_the_comparison_spares_the_clip_under_way(
    bench: Program, qtbot: QtBot, session: FakeSession
) -> None:
    audition, compare, halo, _ = parts(bench)
    with qtbot.waitSignal(bench.run.started):
        bench.run.generate()
    QTest.keyClick(halo, Qt.Key.Key_A)
    assert "Waiting" in compare.sentence.text()
    QTest.keyClick(compare, Qt.Key.Key_Escape)
    assert audition.trial is None and not bench.run.is_cancelling
    session.is_free = True
    qtbot.waitUntil(lambda: bench.run.phase == "idle")
    assert bench.run.takes.current is not None and bench.run.takes.current.frames is not None


def test_cancel_stops_the_comparison_where_no_clip_is_made(
    bench: Program, qtbot: QtBot, session: FakeSession
) -> None:
    audition, compare, halo, _ = parts(bench)
    cancel = bench.window.top_bar.cancel
    assert not cancel.isEnabled()
    with qtbot.waitSignal(bench.run.started):
        bench.run.generate()
    QTest.keyClick(halo, Qt.Key.Key_A)
    assert "clip" in cancel.toolTip()
    QTest.mouseClick(cancel, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bench.run.phase == "idle")
    assert audition.trial is not None and cancel.isEnabled() and "comparison" in cancel.toolTip()
    QTest.mouseClick(cancel, Qt.MouseButton.LeftButton)
    assert audition.trial is None and not compare.isVisible() and not cancel.isEnabled()
    hear(bench, qtbot, session, halo)
    assert not cancel.isEnabled(), "all is rendered"


def test_a_strip_that_goes_ends_its_audition(bench: Program, qtbot: QtBot, session: FakeSession) -> None:
    audition, compare, halo, giant = parts(bench)
    QTest.keyClick(halo, Qt.Key.Key_A)
    bench.mix.remove(giant.id)
    assert audition.trial is not None
    with qtbot.waitSignal(bench.bridge.adapter_detached, check_params_cb=lambda e: e.adapter == halo.id):
        bench.mix.remove(halo.id)
    assert audition.trial is None and not compare.isVisible()
    assert bench.run.is_ready and bench.window.stage.player.isVisible()


def test_the_newest_audition_wins(bench: Program, qtbot: QtBot, session: FakeSession) -> None:
    audition, _, halo, giant = parts(bench)
    QTest.keyClick(halo, Qt.Key.Key_A)
    hear(bench, qtbot, session, giant)
    assert audition.trial is not None and audition.trial.strip.id == giant.id
    assert audition.verdict(halo.id) is None and audition.verdict(giant.id) is not None


def test_generate_ends_it_at_once(bench: Program, qtbot: QtBot, session: FakeSession) -> None:
    audition, compare, halo, _ = parts(bench)
    QTest.keyClick(halo, Qt.Key.Key_A)
    with qtbot.waitSignal(bench.run.started):
        bench.run.generate()
    assert audition.trial is None and not compare.isVisible()


def test_an_error_says_so(bench: Program, qtbot: QtBot, session: AudibleSession) -> None:
    audition, compare, halo, _ = parts(bench)
    session.failure = OutOfMemory("The device ran out of memory.")
    session.is_free = True
    with qtbot.waitSignal(audition.message) as said:
        QTest.keyClick(halo, Qt.Key.Key_A)
    assert said.args[:2] == ["refused", "The device ran out of memory."] and said.args[2]
    assert audition.trial is None and not compare.isVisible() and bench.run.phase == "idle"


def test_clips_that_cannot_be_judged_end_it_and_say_so(
    bench: Program, qtbot: QtBot, session: AudibleSession
) -> None:
    audition, compare, halo, _ = parts(bench)
    session.is_short = session.is_free = True
    with qtbot.waitSignal(bench.run.message) as said:
        QTest.keyClick(halo, Qt.Key.Key_A)
    assert said.args[0] == "refused" and said.args[3]
    assert audition.trial is None and not compare.isVisible() and bench.run.phase == "idle"


def test_a_silent_strip_is_not_rendered(bench: Program, qtbot: QtBot, session: FakeSession) -> None:
    audition, compare, halo, _ = parts(bench)
    bench.mix.set_muted(halo.id, True)
    with qtbot.waitSignal(audition.message) as said:
        QTest.keyClick(halo, Qt.Key.Key_A)
    assert said.args[0] == "info" and "silent" in said.args[1]
    assert audition.trial is None and not compare.isVisible()


def test_a_file_that_is_not_there_yet_is_not_heard(bench: Program, qtbot: QtBot) -> None:
    id = bench.mix.add(Path("later.safetensors"))
    with qtbot.waitSignal(bench.audition.message) as said:
        bench.audition.begin(id)
    assert "being loaded" in said.args[1]
