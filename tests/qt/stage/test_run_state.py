"""A run as the window follows it: queued, under way, finished, cancelled, failed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from catalog.recipe import Recipe
from engine.errors import OutOfMemory
from engine.messages import RunStarted, StepFinished
from tests.fakes import FakeSession, picture
from tests.qt.stage.conftest import BreakableSession, Recorder, Said, clip_of, finish
from ui.stage import captions
from ui.state.run import RunState


def begin(qtbot: QtBot, run: RunState, steps: int = 6) -> None:
    run.change(replace(run.settings, steps=steps))
    with qtbot.waitSignal(run.started):
        run.generate()


def test_the_engine_says_what_it_is(cold_run: RunState, qtbot: QtBot) -> None:
    assert (cold_run.engine_text, cold_run.phase) == ("starting the engine…", "loading")
    with qtbot.waitSignal(cold_run.bridge.model_loaded):  # type: ignore[attr-defined]
        cold_run.bridge.start()  # type: ignore[attr-defined]
        cold_run.open_model("demo")
    assert (cold_run.engine_text, cold_run.phase) == ("fake device", "idle")


def test_a_clip_from_the_first_step_to_the_last(qtbot: QtBot, run: RunState, session: FakeSession) -> None:
    begin(qtbot, run, steps=3)
    assert run.phase == "running" and run.current_run is not None
    for step in range(2):
        with qtbot.waitSignal(run.step_finished):
            session.steps.put(None)
        assert run.progress is not None and run.progress.done == step + 1
    with qtbot.waitSignal(run.finished):
        session.steps.put(None)
    assert run.phase == "idle"
    take = clip_of(run)
    assert take.frames is not None and take.frames.shape == (17, 64, 64, 3)
    assert take.fps == 16 and take.file == Path("/clips/a red ball 7.mp4")
    assert [event.step for event in take.steps] == [0, 1, 2]


def test_time_left_follows_the_median_of_the_steps(run: RunState) -> None:
    begin_by_hand(run, steps=10)
    for step, seconds in enumerate((9.0, 2.0, 2.0)):
        run._on_step_finished(step_event(1, step, 10, seconds))
    assert run.progress is not None
    assert (run.progress.seconds_per_step, run.progress.seconds_left) == (2.0, 14.0)


def test_generate_while_one_is_under_way_queues_another(
    qtbot: QtBot, run: RunState, session: FakeSession
) -> None:
    begin(qtbot, run)
    assert run.queue_text == ""
    run.generate()
    assert run.queue_text == "1 clip waits"
    run.generate()
    assert run.queue_text == "2 clips wait"
    session.is_free = True
    qtbot.waitUntil(lambda: run.phase == "idle")
    assert run.waiting == () and run.queue_text == ""


def test_generate_before_the_model_is_there_waits_for_it(cold_run: RunState, qtbot: QtBot) -> None:
    cold_run.open_model("demo")
    cold_run.generate()
    assert cold_run.phase == "queued" and captions.empty(cold_run).endswith("as soon as the model is loaded")
    cold_run.cancel()
    assert cold_run.phase == "loading"
    cold_run.generate()
    with qtbot.waitSignal(cold_run.started):
        cold_run.bridge.start()  # type: ignore[attr-defined]
    assert cold_run.phase == "running" and cold_run.queue_text == ""


def test_cancel_stops_the_run(qtbot: QtBot, run: RunState, session: FakeSession) -> None:
    begin(qtbot, run)
    with qtbot.waitSignal(run.step_finished):
        session.steps.put(None)
    run.cancel()
    assert run.is_cancelling
    qtbot.waitUntil(lambda: run.phase == "idle")
    take = run.takes.current
    assert not run.is_cancelling and take is not None and take.frames is None and len(take.steps) == 1


def test_a_failed_run_says_why_and_keeps_the_clip_before(
    qtbot: QtBot, run: RunState, session: BreakableSession, said: Said
) -> None:
    finish(qtbot, run, session)
    before = run.takes.current
    session.failure = OutOfMemory("The device is out of memory.")
    begin(qtbot, run)
    session.steps.put(None)
    qtbot.waitUntil(lambda: run.phase == "idle")
    kind, sentence, advice, details = said.last
    assert (kind, sentence) == ("refused", "The device is out of memory.")
    assert "smaller size" in advice and "OutOfMemory" in details
    assert run.takes.all == (before,) and run.takes.current is before


def test_an_unsaved_clip_stays_and_advises_export(
    qtbot: QtBot, run: RunState, session: FakeSession, recorder: Recorder, said: Said
) -> None:
    recorder.is_full = True
    finish(qtbot, run, session)
    take = clip_of(run)
    assert take.file is None and take.frames is not None and len(take.frames) == 17
    kind, sentence, advice, _ = said.last
    assert (kind, sentence) == ("look", "The disk is full.")
    assert "Export" in advice


def test_events_of_older_runs_change_nothing(run: RunState) -> None:
    begin_by_hand(run, number=5)
    run._on_step_finished(step_event(4, 0, 6))
    run._on_run_started(started(4, 6))
    assert run.current_run == 5 and run.takes.steps == () and len(run.takes.all) == 1


def test_an_unlocked_seed_is_new_for_every_clip_and_stays_on_show_until_then(
    qtbot: QtBot, run: RunState, session: FakeSession
) -> None:
    run.change(replace(run.settings, seed=77))
    finish(qtbot, run, session, steps=1)
    assert run.settings.seed == 77 == clip_of(run).recipe.seed
    finish(qtbot, run, session, steps=1)
    assert clip_of(run).recipe.seed == run.settings.seed != 77


def test_a_locked_seed_stays(qtbot: QtBot, run: RunState, session: FakeSession) -> None:
    run.change(replace(run.settings, seed=77))
    run.lock_seed(True)
    for _ in range(2):
        finish(qtbot, run, session, steps=1)
    assert run.settings.seed == 77


def test_a_recipe_comes_back_as_it_went(run: RunState) -> None:
    run.change(replace(run.settings, prompt="a fox 🦊", seed=9, steps=7, width=96, frames=9, shift=5.5))
    recipe = run.recipe()
    run.change(replace(run.settings, prompt="", seed=1, steps=1, width=64, frames=17, shift=1.0))
    run.apply_recipe(recipe)
    assert run.recipe() == recipe


def test_a_recipe_outside_the_models_range_is_changed_in_sight(run: RunState, said: Said) -> None:
    run.apply_recipe(Recipe(prompt="x", width=65, frames=16))
    assert (run.settings.width, run.settings.frames) == (64, 17)
    assert said.last[0] == "look"


def test_a_recipe_of_an_unknown_model_is_refused_and_changes_nothing(
    qtbot: QtBot, run: RunState, said: Said
) -> None:
    before = run.settings
    with qtbot.waitSignal(run.message):
        run.apply_recipe(Recipe(model="/nowhere", prompt="x"))
    assert said.last[0] == "refused" and run.settings == before


def test_opening_the_model_that_is_open_does_nothing(run: RunState) -> None:
    run.open_model("demo")
    assert run.phase == "idle"


@pytest.mark.parametrize("word", ["first", "second"])
def test_a_seed_typed_by_hand_is_used_even_when_unlocked(
    qtbot: QtBot, run: RunState, session: FakeSession, word: str
) -> None:
    finish(qtbot, run, session, steps=1)
    run.change(replace(run.settings, seed=123, prompt=word))
    finish(qtbot, run, session, steps=1)
    assert clip_of(run).recipe.seed == 123


def started(number: int, steps: int) -> RunStarted:
    recipe = Recipe(steps=steps, frames=17, fps=16, seed=1)
    return RunStarted(number, recipe, tuple(np.linspace(1, 0.1, steps)), ("low",) * steps)


def begin_by_hand(run: RunState, number: int = 1, steps: int = 6) -> None:
    run._on_run_started(started(number, steps))


def step_event(number: int, step: int, steps: int, seconds: float = 1.0) -> StepFinished:
    return StepFinished(number, step, steps, 0.5, "low", 0, seconds, picture(9), ())
