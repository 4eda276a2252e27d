"""The bridge and its thread: commands in order, events on the window's thread, one error boundary."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QThread
from pytestqt.qtbot import QtBot

from catalog.recipe import Recipe
from engine.bridge import EngineBridge
from engine.messages import (
    Branch,
    ClipUnsaved,
    Export,
    Failed,
    Mix,
    Resume,
    RunCancelled,
    RunFinished,
    StepFinished,
    Strip,
)
from engine.worker import Session
from tests.fakes import FakeSession, Recorder, picture

RECIPE = Recipe(steps=4, seed=1)


def play(qtbot: QtBot, bridge: EngineBridge, session: FakeSession, steps: int = 1) -> list[StepFinished]:
    """Let some steps go and collect them."""
    seen: list[StepFinished] = []
    bridge.step_finished.connect(seen.append)
    for _ in range(steps):
        with qtbot.waitSignal(bridge.step_finished):
            session.steps.put(None)
    bridge.step_finished.disconnect(seen.append)
    return seen


def test_a_run_ends_with_its_clip(qtbot: QtBot, bridge: EngineBridge, session: FakeSession) -> None:
    session.is_free = True
    with qtbot.waitSignal(bridge.run_finished) as finished:
        run = bridge.generate(RECIPE)
    event = finished.args[0]
    assert isinstance(event, RunFinished) and event.run == run and event.frames.shape[0] == 17


def test_events_arrive_on_the_window_thread(qtbot: QtBot, bridge: EngineBridge, session: FakeSession) -> None:
    threads: list[bool] = []
    bridge.step_finished.connect(lambda _: threads.append(QThread.isMainThread()))
    session.is_free = True
    with qtbot.waitSignal(bridge.run_finished):
        bridge.generate(RECIPE)
    assert threads == [True] * 4


def test_a_mix_set_during_a_run_is_heard_at_the_next_step(
    qtbot: QtBot, bridge: EngineBridge, session: FakeSession
) -> None:
    bridge.set_mix(Mix(1, (Strip("a", 1.0, 0.5),)))
    bridge.generate(RECIPE)
    first = play(qtbot, bridge, session)
    bridge.set_mix(Mix(2, (Strip("a", -1.0, -0.5),)))
    second = play(qtbot, bridge, session)
    assert [e.mix_revision for e in first + second] == [1, 2]
    assert second[0].strengths == (("a", -0.5),)


def test_cancel_stops_this_run_and_not_the_next(
    qtbot: QtBot, bridge: EngineBridge, session: FakeSession
) -> None:
    first = bridge.generate(RECIPE)
    second = bridge.generate(RECIPE)
    play(qtbot, bridge, session)
    with qtbot.waitSignal(bridge.run_cancelled) as cancelled:
        bridge.cancel(first)
    bridge.cancel(first)  # a late one hits nobody
    assert isinstance(cancelled.args[0], RunCancelled) and cancelled.args[0].run == first
    session.is_free = True
    with qtbot.waitSignal(bridge.run_finished) as finished:
        pass
    assert finished.args[0].run == second


def test_a_queued_run_can_be_cancelled_before_it_starts(
    qtbot: QtBot, bridge: EngineBridge, session: FakeSession
) -> None:
    bridge.generate(RECIPE)
    queued = bridge.generate(RECIPE)
    bridge.cancel(queued)
    with qtbot.waitSignals([bridge.run_finished, bridge.run_cancelled]):
        session.is_free = True
    assert len(session.heard) == 4


def test_a_refused_adapter_is_a_message_and_the_engine_goes_on(
    qtbot: QtBot, bridge: EngineBridge, session: FakeSession
) -> None:
    session.refuse["bad.safetensors"] = "It is made for SDXL."
    with qtbot.waitSignal(bridge.failed) as failed:
        bridge.attach("x", Path("bad.safetensors"))
    event = failed.args[0]
    assert isinstance(event, Failed) and event.adapter == "x" and "SDXL" in event.title and event.advice
    with qtbot.waitSignal(bridge.adapter_attached):
        bridge.attach("y", Path("good.safetensors"))


def test_an_unknown_model_is_a_message(qtbot: QtBot, bridge: EngineBridge) -> None:
    with qtbot.waitSignal(bridge.failed) as failed:
        bridge.load_model("/no/such/folder")
    assert "no model" in failed.args[0].title


def test_what_nobody_expected_is_logged_and_said(
    qtbot: QtBot, bridge: EngineBridge, session: FakeSession, caplog: pytest.LogCaptureFixture
) -> None:
    session.attached = None  # type: ignore[assignment]
    with qtbot.waitSignal(bridge.failed) as failed:
        bridge.attach("x", Path("a.safetensors"))
    assert "Traceback" in failed.args[0].details
    assert [r.levelname for r in caplog.records] == ["ERROR"]


def test_a_session_that_cannot_open_is_said(qtbot: QtBot) -> None:
    def broken() -> Session:
        raise ImportError("libcudart is missing")

    bridge = EngineBridge(broken, Recorder())
    with qtbot.waitSignal(bridge.failed) as failed:
        bridge.start()
    assert "libcudart" in failed.args[0].title
    assert bridge.stop(60)


def test_a_clip_that_cannot_be_saved_is_not_lost(qtbot: QtBot, session: FakeSession) -> None:
    bridge = EngineBridge(lambda: session, Recorder(is_full=True))
    bridge.start()
    session.is_free = True
    bridge.load_model("demo")
    with qtbot.waitSignal(bridge.clip_unsaved) as unsaved:
        bridge.generate(RECIPE)
    event = unsaved.args[0]
    assert isinstance(event, ClipUnsaved) and event.frames.shape[0] == 17 and "full" in event.title
    assert bridge.stop(60)


def test_export_writes_a_clip_beside_a_run(
    qtbot: QtBot, bridge: EngineBridge, session: FakeSession, tmp_path: Path
) -> None:
    run = bridge.generate(RECIPE)
    play(qtbot, bridge, session)
    file = tmp_path / "export.gif"
    recipe = replace(RECIPE, width=64, height=64, fps=16)
    with qtbot.waitSignal(bridge.exported):
        bridge.export(Export(picture(90, 3), 16, recipe, file))
    assert file.stat().st_size > 0
    with qtbot.waitSignal(bridge.run_cancelled):
        bridge.cancel(run)


def test_an_export_that_fails_is_said(qtbot: QtBot, bridge: EngineBridge, tmp_path: Path) -> None:
    file = tmp_path / "clip.avi"
    with qtbot.waitSignal(bridge.failed) as failed:
        bridge.export(Export(picture(90), 16, RECIPE, file))
    assert ".mp4" in failed.args[0].title and failed.args[0].file == file


def test_stopping_mid_run_ends_the_thread(qtbot: QtBot, bridge: EngineBridge, session: FakeSession) -> None:
    bridge.generate(RECIPE)
    play(qtbot, bridge, session)
    assert bridge.stop(60)
    assert bridge._worker._thread not in threading.enumerate()


# Where runs begin, and what is kept of them


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path / "clip.mp4")


@pytest.fixture
def keeping(qtbot: QtBot, session: FakeSession, recorder: Recorder, tmp_path: Path) -> Iterator[EngineBridge]:
    """A started engine that keeps unfinished runs on disk."""
    bridge = EngineBridge(lambda: session, recorder, runs_folder=tmp_path / "runs")
    bridge.start()
    yield bridge
    assert bridge.stop(60)


def cancelled(qtbot: QtBot, bridge: EngineBridge, session: FakeSession, steps: int = 2) -> RunCancelled:
    """A run that was stopped after some steps."""
    run = bridge.generate(RECIPE)
    play(qtbot, bridge, session, steps)
    with qtbot.waitSignal(bridge.run_cancelled) as stopped:
        bridge.cancel(run)
    event = stopped.args[0]
    assert isinstance(event, RunCancelled)
    return event


def test_the_same_again_takes_every_step_over(
    qtbot: QtBot, bridge: EngineBridge, session: FakeSession
) -> None:
    session.is_free = True
    with qtbot.waitSignal(bridge.run_finished):
        bridge.generate(RECIPE)
    session.is_free = False
    events: list[StepFinished] = []
    bridge.step_finished.connect(events.append)
    with qtbot.waitSignals([bridge.run_started, bridge.run_finished]):
        bridge.generate(RECIPE)
    assert [event.is_reused for event in events] == [True] * 4 and len(session.heard) == 4


def test_a_branch_keeps_the_first_steps_of_its_run(
    qtbot: QtBot, bridge: EngineBridge, session: FakeSession
) -> None:
    session.is_free = True
    bridge.set_mix(Mix(1, (Strip("a", 1.0, 1.0),)))
    session.attached["a"] = Path("a.safetensors")
    with qtbot.waitSignal(bridge.run_finished):
        run = bridge.generate(RECIPE)
    bridge.set_mix(Mix(2, (Strip("a", 0.5, 0.5),)))
    events: list[StepFinished] = []
    bridge.step_finished.connect(events.append)
    with qtbot.waitSignal(bridge.run_finished):
        bridge.generate(RECIPE, Branch(run, 3))
    assert [dict(event.strengths)["a"] for event in events] == [1.0, 1.0, 1.0, 0.5]
    assert [event.is_reused for event in events] == [True, True, True, False]


def test_a_branch_of_a_run_that_nobody_kept_is_said(qtbot: QtBot, bridge: EngineBridge) -> None:
    with qtbot.waitSignal(bridge.failed) as failed:
        run = bridge.generate(RECIPE, Branch(77, 1))
    assert failed.args[0].run == run and "no longer kept" in failed.args[0].title


def test_a_draft_is_shown_and_nothing_is_written(
    qtbot: QtBot, keeping: EngineBridge, session: FakeSession, recorder: Recorder, tmp_path: Path
) -> None:
    session.is_free = True
    with qtbot.waitSignal(keeping.run_finished) as finished:
        keeping.generate(RECIPE, is_draft=True)
    assert finished.args[0].file is None and finished.args[0].frames.shape[0] == 17
    assert not recorder.saved and list(tmp_path.iterdir()) == []
    with qtbot.waitSignal(keeping.run_finished) as finished:
        keeping.generate(RECIPE)
    assert finished.args[0].file == tmp_path / "clip.mp4" and recorder.saved == 1


def test_a_cancelled_run_can_be_continued_and_then_leaves_nothing(
    qtbot: QtBot, keeping: EngineBridge, session: FakeSession, tmp_path: Path
) -> None:
    left = cancelled(qtbot, keeping, session).unfinished
    assert left is not None and (left.step, left.steps) == (2, 4)
    assert keeping.unfinished() == (left,)
    session.is_free = True
    events: list[StepFinished] = []
    keeping.step_finished.connect(events.append)
    with qtbot.waitSignal(keeping.run_finished):
        keeping.generate(left.recipe, Resume(left.folder))
    assert [event.is_reused for event in events] == [True, True, False, False]
    assert keeping.unfinished() == () and list((tmp_path / "runs").iterdir()) == []


def test_a_run_cancelled_before_its_first_step_has_nothing_to_continue(
    qtbot: QtBot, keeping: EngineBridge, session: FakeSession
) -> None:
    assert cancelled(qtbot, keeping, session, steps=0).unfinished is None
    assert keeping.unfinished() == ()


def test_a_run_under_way_is_not_offered_but_is_after_closing(
    qtbot: QtBot, session: FakeSession, tmp_path: Path
) -> None:
    bridge = EngineBridge(lambda: session, Recorder(), runs_folder=tmp_path)
    bridge.start()
    bridge.generate(RECIPE)
    play(qtbot, bridge, session, 3)
    assert bridge.unfinished() == ()
    assert bridge.stop(60)
    restarted = EngineBridge(lambda: session, Recorder(), runs_folder=tmp_path)
    (left,) = restarted.unfinished()
    assert (left.step, left.recipe.seed) == (3, RECIPE.seed)


def test_an_unfinished_run_can_be_forgotten(
    qtbot: QtBot, keeping: EngineBridge, session: FakeSession
) -> None:
    left = cancelled(qtbot, keeping, session).unfinished
    assert left is not None
    keeping.discard(left)
    assert keeping.unfinished() == () and not left.folder.exists()
    with qtbot.waitSignal(keeping.failed) as failed:
        keeping.generate(left.recipe, Resume(left.folder))
    assert "no longer there" in failed.args[0].title


def test_a_clip_that_could_not_be_saved_can_still_be_continued(
    qtbot: QtBot, session: FakeSession, tmp_path: Path
) -> None:
    bridge = EngineBridge(lambda: session, Recorder(is_full=True), runs_folder=tmp_path)
    bridge.start()
    session.is_free = True
    with qtbot.waitSignal(bridge.clip_unsaved):
        bridge.generate(RECIPE)
    assert [left.step for left in bridge.unfinished()] == [4]
    assert bridge.stop(60)


def test_without_memory_nothing_is_taken_over(
    qtbot: QtBot, bridge: EngineBridge, session: FakeSession
) -> None:
    session.is_free, bridge.budget = True, 0
    for _ in range(2):
        with qtbot.waitSignal(bridge.run_finished):
            bridge.generate(RECIPE)
    assert len(session.heard) == 8


def test_a_run_apart_keeps_its_mix_and_tells_nobody_else(
    qtbot: QtBot, bridge: EngineBridge, session: FakeSession
) -> None:
    told: list[object] = []
    for signal in (bridge.run_started, bridge.stage_changed, bridge.step_finished, bridge.run_finished):
        signal.connect(told.append)
    frozen = Mix(3, (Strip("a", 0.5, 0.5),))
    seen: list[object] = []
    bridge.apart.connect(seen.append)
    bridge.attach("a", Path("a.safetensors"))
    run = bridge.render_apart(RECIPE, frozen)
    bridge.set_mix(Mix(4))
    session.is_free = True
    qtbot.waitUntil(lambda: bool(seen) and isinstance(seen[-1], RunFinished))
    assert session.heard == [frozen] * 4 and told == []
    assert {getattr(event, "run", None) for event in seen} == {run}
    finished = seen[-1]
    assert isinstance(finished, RunFinished) and finished.file is None


def test_a_run_apart_can_be_cancelled(qtbot: QtBot, bridge: EngineBridge, session: FakeSession) -> None:
    run = bridge.render_apart(RECIPE, Mix())
    with qtbot.waitSignal(bridge.apart, check_params_cb=lambda event: isinstance(event, RunCancelled)):
        bridge.cancel(run)
    session.is_free = True
    with qtbot.waitSignal(bridge.run_finished):
        bridge.generate(RECIPE)


def test_an_engine_that_ends_does_not_do_first_what_waits(
    qtbot: QtBot, bridge: EngineBridge, session: FakeSession
) -> None:
    with qtbot.waitSignal(bridge.run_started):
        bridge.generate(RECIPE)
    for number in range(50):
        bridge.attach(str(number), Path(f"{number}.safetensors"))
    assert bridge.stop() and not session.attached
