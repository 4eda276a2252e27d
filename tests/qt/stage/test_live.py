"""Live: the desk renders by itself, the newest change wins, and the stage stays calm."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from catalog.curve import Curve, Point
from catalog.models import find_model
from engine.messages import RunStarted
from engine.video import file_stem
from engine.worker import Clip, Generate, Post
from tests.fakes import FakeSession, picture
from tests.qt.stage.conftest import BreakableSession, clip_of, finish, play
from ui.stage import captions
from ui.stage.panel import StagePanel
from ui.state.live import Live
from ui.state.mix import MixState
from ui.state.run import RunState


class PlayedSession(BreakableSession):
    """Its clips are as bright as the first strip is strong at the end."""

    def run(self, command: Generate, post: Post) -> Clip:
        clip = super().run(command, post)
        strength = sum((use.high + use.low) / 2 for use in clip.recipe.loras[:1])
        return replace(clip, frames=picture(round(100 + 100 * strength), len(clip.frames)))


@pytest.fixture
def session() -> BreakableSession:
    return PlayedSession()


@pytest.fixture
def live(run: RunState, mix: MixState) -> Live:
    """Live, switched on."""
    live = Live(run, mix)
    live.open()
    live.set_on(True)
    return live


class Begun(QObject):
    """The runs that have begun."""

    def __init__(self, run: RunState) -> None:
        super().__init__()
        self.all: list[RunStarted] = []
        run.started.connect(self.all.append)


def move(mix: MixState, value: float, expert: str = "low") -> None:
    mix.set_strength(mix.strips[0].id, expert, value)  # type: ignore[arg-type]


def idle(run: RunState) -> Callable[[], bool]:
    return lambda: run.phase == "idle"


def settle(qtbot: QtBot, run: RunState, live: Live) -> None:
    """Until nothing is due, waits or runs."""
    qtbot.waitUntil(lambda: not live._due.isActive() and run.phase == "idle")


def test_a_fader_renders_from_the_first_step_that_it_touches(
    qtbot: QtBot, run: RunState, mix: MixState, live: Live, session: FakeSession
) -> None:
    finish(qtbot, run, session, steps=10)
    saved = clip_of(run)
    session.is_free = True
    with qtbot.waitSignal(run.finished):
        with qtbot.waitSignal(run.started) as begun:
            move(mix, 0.3)
        assert begun.args[0].begins_at == 2, "the high-noise steps are as they were"
    draft = clip_of(run)
    assert draft.is_draft and draft.file is None and run.takes.all == (saved, draft)
    assert draft.recipe.seed == saved.recipe.seed
    with qtbot.waitSignal(run.started) as begun:
        move(mix, 0.3, "high")
    assert begun.args[0].begins_at == 0
    qtbot.waitUntil(idle(run))
    assert [take.is_draft for take in run.takes.all] == [False, True], "one draft at a time"


def test_a_fader_that_comes_back_brings_its_take_back(
    qtbot: QtBot, run: RunState, mix: MixState, live: Live, session: FakeSession
) -> None:
    finish(qtbot, run, session, steps=10)
    saved = clip_of(run)
    session.is_free = True
    move(mix, 0.3)
    settle(qtbot, run, live)
    assert clip_of(run).is_draft
    move(mix, 1.0)
    settle(qtbot, run, live)
    assert run.takes.all == (saved,) and run.takes.current is saved
    with qtbot.waitSignal(run.finished):
        run.generate()
    assert clip_of(run).recipe.seed != saved.recipe.seed, "not the same clip once more"


def test_without_live_a_fader_waits_for_generate(
    qtbot: QtBot, run: RunState, mix: MixState, live: Live, session: FakeSession
) -> None:
    live.set_on(False)
    move(mix, 0.3)
    assert not live._due.isActive() and run.phase == "idle"


def test_the_newest_change_wins(
    qtbot: QtBot, run: RunState, mix: MixState, live: Live, session: FakeSession
) -> None:
    begun = Begun(run)
    with qtbot.waitSignal(run.started):
        move(mix, 0.9)
    play(qtbot, run, session, 1)
    for value in (0.8, 0.7, 0.6, 0.5):
        move(mix, value)
    qtbot.waitUntil(lambda: len(begun.all) == 2)
    session.is_free = True
    qtbot.waitUntil(idle(run))
    last = clip_of(run)
    assert len(begun.all) == 2 and last.run == begun.all[1].run
    assert {dict(step.strengths)[mix.strips[0].id] for step in last.steps[3:]} == {0.5}


def test_where_clips_are_slow_a_moving_fader_begins_one_when_it_rests(
    qtbot: QtBot, run: RunState, mix: MixState, live: Live, session: FakeSession
) -> None:
    finish(qtbot, run, session)
    begun = Begun(run)
    run.seconds_per_step = 10.0
    session.is_free = True
    for value in range(40):
        move(mix, value / 40)
        assert run.phase == "idle"
    with qtbot.waitSignal(run.finished):
        pass
    assert len(begun.all) == 1 and clip_of(run).is_draft


def test_mid_run_a_fader_is_heard_at_the_next_step_and_begins_nothing(
    qtbot: QtBot, run: RunState, mix: MixState, live: Live, session: FakeSession
) -> None:
    begun = Begun(run)
    run.change(replace(run.settings, steps=6))
    with qtbot.waitSignal(run.started):
        run.generate()
    play(qtbot, run, session, 2)
    move(mix, 0.2)
    assert not live._due.isActive()
    play(qtbot, run, session, 3)
    with qtbot.waitSignal(run.finished):
        session.steps.put(None)
    strip = mix.strips[0].id
    assert [dict(step.strengths)[strip] for step in clip_of(run).steps] == [1.0, 1.0, 0.2, 0.2, 0.2, 0.2]
    assert len(begun.all) == 1 and not clip_of(run).is_draft


@pytest.mark.parametrize(("expert", "made", "first"), [("low", 5, 1), ("high", 2, 0)])
def test_what_comes_too_late_for_a_clip_is_rendered_when_it_is_there(
    qtbot: QtBot, run: RunState, mix: MixState, live: Live, session: FakeSession,
    expert: str, made: int, first: int,
) -> None:  # fmt: skip
    begun = Begun(run)
    run.change(replace(run.settings, steps=6))
    with qtbot.waitSignal(run.started):
        run.generate()
    play(qtbot, run, session, made)
    move(mix, 0.2, expert)
    assert len(begun.all) == 1 and not live._due.isActive(), "the clip is made first"
    session.is_free = True
    qtbot.waitUntil(lambda: len(begun.all) == 2 and run.phase == "idle")
    assert run.takes.all[0].file is not None and begun.all[1].begins_at == first
    assert {strip.adapter: getattr(strip, expert) for strip in session.heard[-1].strips}[
        mix.strips[0].id
    ] == 0.2


HEARD: dict[str, Callable[[MixState, str], object]] = {
    "mute": lambda mix, strip: mix.set_muted(strip, True),
    "solo": lambda mix, strip: mix.set_solo(strip, True),
    "remove": lambda mix, strip: mix.remove(strip),
    "add": lambda mix, strip: mix.add(Path("ring.safetensors")),
    "curve": lambda mix, strip: mix.set_curve(strip, "low", Curve((Point(0.5, 0.2),))),
    "undo": lambda mix, strip: mix.undo.undo(),
}


@pytest.mark.parametrize("change", HEARD)
def test_whatever_changes_the_sound_is_rendered(
    qtbot: QtBot, run: RunState, mix: MixState, live: Live, session: FakeSession, change: str
) -> None:
    with qtbot.waitSignal(run.started):
        HEARD[change](mix, mix.strips[0].id)
    assert run.is_drafting


def test_what_cannot_be_heard_begins_nothing(run: RunState, mix: MixState, live: Live) -> None:
    first = mix.strips[0].id
    mix.move(first, 1)
    run.change(replace(run.settings, prompt="a green box"))
    run.roll_seed()
    mix.set_strength(first, "low", 1.0)
    assert not live._due.isActive() and run.phase == "idle"


def test_live_waits_for_the_model_and_for_the_desk_to_be_laid_out(cold_run: RunState) -> None:
    mix = MixState(cold_run.bridge)  # type: ignore[attr-defined]
    live = Live(cold_run, mix)
    live.set_on(True)
    live.open()
    mix.add(Path("halo.safetensors"))
    assert not live._due.isActive(), "no model"
    cold_run._loaded = find_model("demo")
    closed = Live(cold_run, mix)
    closed.set_on(True)
    mix.add(Path("ring.safetensors"))
    assert live._due.isActive() and not closed._due.isActive()
    live.set_on(False)


def test_generate_after_a_draft_makes_the_same_clip_and_saves_it(
    qtbot: QtBot, run: RunState, mix: MixState, live: Live, session: FakeSession
) -> None:
    finish(qtbot, run, session)
    session.is_free = True
    move(mix, 0.4)
    settle(qtbot, run, live)
    draft = clip_of(run)
    with qtbot.waitSignal(run.finished):
        with qtbot.waitSignal(run.started) as begun:
            run.generate()
        assert begun.args[0].begins_at == begun.args[0].recipe.steps
    kept = clip_of(run)
    assert kept.file is not None and kept.recipe.seed == draft.recipe.seed
    assert not any(take.is_draft for take in run.takes.all), "the draft is this clip now"


def test_generate_does_not_wait_for_a_draft(
    qtbot: QtBot, run: RunState, mix: MixState, live: Live, session: FakeSession
) -> None:
    with qtbot.waitSignal(run.started):
        move(mix, 0.4)
    with qtbot.waitSignal(run.started) as begun:
        run.generate()
    assert run.current_run == begun.args[0].run and not run.is_drafting
    session.is_free = True
    with qtbot.waitSignal(run.finished):
        pass
    assert clip_of(run).file is not None


def test_switching_live_off_stops_the_draft_and_the_clip_before_stays(
    qtbot: QtBot, run: RunState, stage: StagePanel, mix: MixState, live: Live, session: FakeSession
) -> None:
    finish(qtbot, run, session)
    with qtbot.waitSignal(run.started):
        move(mix, 0.4)
    play(qtbot, run, session, 4)
    live.set_on(False)
    qtbot.waitUntil(idle(run))
    assert stage.showing.shown is clip_of(run) and run.takes.draft is None
    assert run.unfinished() == ()


def test_the_picture_and_the_timeline_stay_calm_while_drafts_come_and_go(
    qtbot: QtBot, run: RunState, stage: StagePanel, mix: MixState, live: Live, session: FakeSession
) -> None:
    finish(qtbot, run, session, steps=10)
    seen: list[int] = []
    stage.playback.frames_changed.connect(lambda: seen.append(int(stage.playback.frames[0, 0, 0, 0])))
    filled: list[int] = []
    run.takes.changed.connect(lambda: filled.append(stage.timeline.track.done))
    with qtbot.waitSignal(run.started):
        move(mix, 0.4)
    assert captions.plain(captions.left(run, stage.showing)).startswith("finished")
    play(qtbot, run, session, 4)
    assert captions.plain(captions.right(run, stage.showing)) == "Live · step 6 of 10"
    assert captions.plain(captions.left(run, stage.showing)) == "step 6 of 10 · draft"
    move(mix, 0.6)
    with qtbot.waitSignal(run.started):
        pass
    session.is_free = True
    settle(qtbot, run, live)
    assert captions.plain(captions.left(run, stage.showing)) == "draft · not saved"
    assert set(seen[:-1]) <= set(range(44, 50)), "neither early noise nor, between drafts, the clip before"
    assert seen[-1] == 180
    assert set(filled) == {10}, "no cell goes blank"


def test_the_first_draft_shows_from_its_first_step(
    qtbot: QtBot, run: RunState, stage: StagePanel, mix: MixState, live: Live, session: FakeSession
) -> None:
    with qtbot.waitSignal(run.started):
        move(mix, 0.4)
    play(qtbot, run, session, 2)
    assert stage.playback.frames[0, 0, 0, 0] == 41
    run.cancel()
    qtbot.waitUntil(idle(run))
    assert run.takes.current is not None and run.takes.current.is_draft and not stage.take_row.can_keep


def test_a_pinned_step_is_not_taken_away_by_a_draft(
    qtbot: QtBot, run: RunState, stage: StagePanel, mix: MixState, live: Live, session: FakeSession
) -> None:
    finish(qtbot, run, session, steps=10)
    saved = clip_of(run)
    stage.showing.pin(5)
    session.is_free = True
    move(mix, 0.4)
    settle(qtbot, run, live)
    assert len(run.takes.all) == 2
    assert stage.showing.pinned == (saved, 5) and run.takes.current is saved
    with qtbot.waitSignal(run.started) as begun:
        stage.branch()
    assert begun.args[0].begins_at == 5


def test_a_draft_is_kept_as_it_is_under_a_name_of_its_own(
    qtbot: QtBot, run: RunState, stage: StagePanel, mix: MixState, live: Live, session: FakeSession,
    tmp_path: Path,
) -> None:  # fmt: skip
    session.is_free = True
    move(mix, 0.4)
    settle(qtbot, run, live)
    draft = clip_of(run)
    taken = tmp_path / f"{file_stem(draft.recipe)}.mp4"
    taken.write_text("precious")
    assert stage.take_row.can_keep
    stage.take_row.keep_requested.connect(lambda take: run.keep(take, tmp_path))
    with qtbot.waitSignal(run.bridge.exported):  # type: ignore[attr-defined]
        stage.take_row.keep.click()
        stage.take_row.keep.click()
    kept = clip_of(run)
    assert kept.file is not None and kept.file.stat().st_size > 100 and kept.file != taken
    assert taken.read_text() == "precious" and len(list(tmp_path.glob("*.mp4"))) == 2
    assert (kept.name, kept.is_draft, stage.take_row.can_keep) == ("Take 1", False, False)


def test_a_draft_that_cannot_be_kept_stays_a_draft(
    qtbot: QtBot, run: RunState, mix: MixState, live: Live, session: FakeSession, tmp_path: Path
) -> None:
    session.is_free = True
    move(mix, 0.4)
    settle(qtbot, run, live)
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with qtbot.waitSignal(run.message) as said:
        run.keep(clip_of(run), blocked)
    assert said.args[0] == "refused" and clip_of(run).is_draft
