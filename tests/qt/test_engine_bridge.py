"""The bridge and its thread: commands in order, events on the window's thread, one error boundary."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QThread
from pytestqt.qtbot import QtBot

from catalog.recipe import Recipe
from engine.bridge import EngineBridge
from engine.errors import EncodeFailed
from engine.messages import ClipUnsaved, Export, Failed, Mix, RunCancelled, RunFinished, StepFinished, Strip
from engine.worker import Clip, Session
from tests.fakes import FakeSession, picture

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

    bridge = EngineBridge(broken, lambda clip: Path())
    with qtbot.waitSignal(bridge.failed) as failed:
        bridge.start()
    assert "libcudart" in failed.args[0].title
    assert bridge.stop()


def test_a_clip_that_cannot_be_saved_is_not_lost(qtbot: QtBot, session: FakeSession) -> None:
    def full(clip: Clip) -> Path:
        raise EncodeFailed("The disk is full.")

    bridge = EngineBridge(lambda: session, full)
    bridge.start()
    session.is_free = True
    bridge.load_model("demo")
    with qtbot.waitSignal(bridge.clip_unsaved) as unsaved:
        bridge.generate(RECIPE)
    event = unsaved.args[0]
    assert isinstance(event, ClipUnsaved) and event.frames.shape[0] == 17 and "full" in event.title
    assert bridge.stop()


def test_export_writes_a_clip_beside_a_run(
    qtbot: QtBot, bridge: EngineBridge, session: FakeSession, tmp_path: Path
) -> None:
    run = bridge.generate(RECIPE)
    play(qtbot, bridge, session)
    file = tmp_path / "export.gif"
    recipe = replace(RECIPE, width=64, height=64, fps=16)
    with qtbot.waitSignal(bridge.exported, timeout=20_000):
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
    assert bridge.stop()
    assert "engine" not in {t.name for t in threading.enumerate()}
