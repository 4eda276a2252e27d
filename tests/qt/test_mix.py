"""What the desk does to the mix, and that all of it can be undone."""

import math
import random
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from catalog.curve import Curve, Point
from catalog.identify import Identity
from catalog.library import Entry
from catalog.recipe import LoraUse, Recipe
from engine.bridge import EngineBridge
from engine.messages import Mix, ModelLoaded, Strip
from tests.fakes import FakeSession
from ui.state.hearing import Hearing
from ui.state.mix import MixState


def entry(name: str, hint: str | None = None) -> Entry:
    identity = Identity("Wan", True, "Wan · LoRA", expert_hint=hint)  # type: ignore[arg-type]
    return Entry(Path(f"/loras/{name}.safetensors"), name, 1000, "ab" * 32, identity, "", "library")


def add(qtbot: QtBot, mix: MixState, bridge: EngineBridge, name: str, hint: str | None = None) -> str:
    made = entry(name, hint)
    with qtbot.waitSignal(bridge.adapter_attached):
        return mix.add(made.path, made)


def strengths(mix: Mix) -> list[tuple[float, float]]:
    return [(s.high, s.low) for s in mix.strips]


@pytest.mark.parametrize(("hint", "first"), [(None, (1, 1)), ("high", (1, 0)), ("low", (0, 1))])
def test_a_new_strip_plays_where_it_was_made_for(
    qtbot: QtBot, mix: MixState, bridge: EngineBridge, hint: str | None, first: tuple[float, float]
) -> None:
    id = add(qtbot, mix, bridge, "neon", hint)
    assert mix.mix.strips == (Strip(id, *first),)
    assert mix.attachment(id).status == "attached"


def test_a_model_with_one_expert_has_one_strength(qtbot: QtBot, mix: MixState, bridge: EngineBridge) -> None:
    assert mix.model is not None
    bridge.model_loaded.emit(ModelLoaded(replace(mix.model, experts=("high",)), 0.1))
    id = add(qtbot, mix, bridge, "a", "low")
    assert strengths(mix.mix) == [(1, 1)]
    mix.set_strength(id, "high", 0.3)
    assert strengths(mix.mix) == [(0.3, 0.3)]


def test_every_change_is_a_new_revision(qtbot: QtBot, mix: MixState, bridge: EngineBridge) -> None:
    seen: list[Mix] = []
    mix.changed.connect(seen.append)
    id = add(qtbot, mix, bridge, "neon")
    mix.set_strength(id, "high", 0.5)
    mix.set_muted(id, True)
    mix.remove(id)
    revisions = [m.revision for m in seen]
    assert revisions == sorted(set(revisions)) and len(seen) == 4


def test_muted_is_silent_and_solo_silences_the_others(
    qtbot: QtBot, mix: MixState, bridge: EngineBridge
) -> None:
    a, b = (add(qtbot, mix, bridge, name) for name in ("a", "b"))
    mix.set_muted(a, True)
    assert strengths(mix.mix) == [(0, 0), (1, 1)]
    mix.set_solo(b, True)
    assert strengths(mix.mix) == [(0, 0), (1, 1)]
    mix.set_muted(a, False)
    assert strengths(mix.mix) == [(0, 0), (1, 1)]
    mix.set_solo(a, True)
    assert strengths(mix.mix) == [(1, 1), (1, 1)]
    mix.set_muted(b, True)
    assert strengths(mix.mix) == [(1, 1), (0, 0)]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 100.5, 1e300])
def test_impossible_strengths_are_ignored(
    qtbot: QtBot, mix: MixState, bridge: EngineBridge, value: float
) -> None:
    id = add(qtbot, mix, bridge, "a")
    before = mix.mix
    mix.set_strength(id, "high", value)
    assert mix.mix is before


def test_a_drag_is_one_undo_step(qtbot: QtBot, mix: MixState, bridge: EngineBridge) -> None:
    id = add(qtbot, mix, bridge, "a")
    mix.begin_gesture()
    for value in (0.9, 0.5, 0.1):
        mix.set_strength(id, "high", value)
    mix.begin_gesture()
    mix.set_strength(id, "high", 1.7)
    assert mix.undo.count() == 3
    mix.undo.undo()
    assert strengths(mix.mix) == [(0.1, 1)]
    mix.undo.undo()
    assert strengths(mix.mix) == [(1, 1)]


def test_two_faders_in_one_gesture_stay_two_steps(qtbot: QtBot, mix: MixState, bridge: EngineBridge) -> None:
    id = add(qtbot, mix, bridge, "a")
    mix.set_strength(id, "high", 0.5)
    mix.set_strength(id, "low", 0.5)
    mix.undo.undo()
    assert strengths(mix.mix) == [(0.5, 1)]


def test_undoing_everything_and_redoing_it_restores_every_desk(
    qtbot: QtBot, mix: MixState, bridge: EngineBridge
) -> None:
    dice = random.Random(7)
    desks = [mix.strips]
    for number in range(60):
        _do_something(mix, dice, number)
        if mix.strips != desks[-1]:
            desks.append(mix.strips)
    assert mix.undo.count() == len(desks) - 1
    for desk in reversed(desks[:-1]):
        mix.undo.undo()
        assert mix.strips == desk
    for desk in desks[1:]:
        mix.undo.redo()
        assert mix.strips == desk
    assert [s.adapter for s in mix.mix.strips] == [s.id for s in desks[-1]]


def _do_something(mix: MixState, dice: random.Random, number: int) -> None:
    ids = [s.id for s in mix.strips]
    what = dice.choice(["add", "add", "strength", "strength", "curve", "mute", "solo", "move", "remove"])
    if what == "add" or not ids:
        made = entry(f"lora {number}")
        mix.add(made.path, made)
        return
    id = dice.choice(ids)
    mix.begin_gesture()
    match what:
        case "strength":
            mix.set_strength(id, dice.choice(["high", "low"]), dice.uniform(-3, 3))  # type: ignore[arg-type]
        case "curve":
            curve = Curve((Point(0.9, dice.uniform(-3, 3)), Point(0.2, 1.0, True)))
            mix.set_curve(id, dice.choice(["high", "low"]), dice.choice([curve, None]))  # type: ignore[arg-type]
        case "mute":
            mix.set_muted(id, dice.random() < 0.5)
        case "solo":
            mix.set_solo(id, dice.random() < 0.5)
        case "move":
            mix.move(id, dice.randrange(len(ids)))
        case "remove":
            mix.remove(id)


def test_undone_removal_attaches_again(
    qtbot: QtBot, mix: MixState, bridge: EngineBridge, session: FakeSession
) -> None:
    id = add(qtbot, mix, bridge, "a")
    with qtbot.waitSignal(bridge.adapter_detached):
        mix.remove(id)
    assert id not in session.attached
    with qtbot.waitSignal(bridge.adapter_attached):
        mix.undo.undo()
    assert id in session.attached and mix.attachment(id).status == "attached"


def test_a_refused_file_says_why_and_plays_nothing(
    qtbot: QtBot, mix: MixState, bridge: EngineBridge, session: FakeSession
) -> None:
    session.refuse["a.safetensors"] = "made for another model"
    made = entry("a")
    with qtbot.waitSignal(bridge.failed):
        id = mix.add(made.path, made)
    assert mix.attachment(id).status == "refused"
    assert mix.attachment(id).reason == "made for another model"
    assert mix.mix.strips == () and mix.uses() == ()


def test_another_model_attaches_everything_again(
    qtbot: QtBot, mix: MixState, bridge: EngineBridge, session: FakeSession
) -> None:
    ids = {add(qtbot, mix, bridge, name) for name in ("a", "b")}
    with qtbot.waitSignals([bridge.model_loaded, bridge.adapter_attached, bridge.adapter_attached]):
        bridge.load_model("demo")
    assert set(session.attached) == ids
    assert all(mix.attachment(id).status == "attached" for id in ids)


def test_strips_put_down_before_the_model_wait_for_it(
    qtbot: QtBot, bridge: EngineBridge, session: FakeSession
) -> None:
    mix = MixState(bridge)
    id = mix.add(Path("/loras/a.safetensors"))
    assert mix.attachment(id).status == "attaching"
    with qtbot.waitSignals([bridge.model_loaded, bridge.adapter_attached]):
        bridge.load_model("demo")
    assert mix.attachment(id).status == "attached"


def test_a_desk_comes_back_from_its_recipe(qtbot: QtBot, mix: MixState, bridge: EngineBridge) -> None:
    a, b = (add(qtbot, mix, bridge, name) for name in ("a", "b"))
    mix.set_strength(a, "high", -0.4)
    mix.set_muted(b, True)
    uses = mix.uses()
    assert uses[0].sha256 == "0" * 64
    mix.load([(use, Path(use.file), None) for use in uses])
    assert mix.uses()[0].high == -0.4 and (mix.uses()[1].high, mix.uses()[1].low) == (0, 0)
    mix.undo.undo()
    assert [s.id for s in mix.strips] == [a, b]


def test_recorded_strengths_play_until_a_fader_moves(qtbot: QtBot, mix: MixState) -> None:
    use = LoraUse("a.safetensors", 1, 1, per_step=(1.0, 0.5, 0.0))
    mix.load([(use, Path("/loras/a.safetensors"), None)])
    assert mix.mix.strips[0].per_step == (1.0, 0.5, 0.0)
    mix.set_strength(mix.strips[0].id, "low", 1.0)
    assert mix.mix.strips[0].per_step == ()


def test_the_desk_shows_what_the_run_has_heard(
    qtbot: QtBot, mix: MixState, bridge: EngineBridge, session: FakeSession
) -> None:
    hearing = Hearing(bridge, mix)
    id = add(qtbot, mix, bridge, "a")
    with qtbot.waitSignal(bridge.run_started):
        bridge.generate(Recipe())
    assert hearing.is_running and hearing.is_heard(id, "high")
    mix.set_strength(id, "high", 0.5)
    assert not hearing.is_heard(id, "high") and hearing.is_heard(id, "low")
    with qtbot.waitSignal(bridge.step_finished):
        session.steps.put(None)
    assert hearing.is_heard(id, "high") and hearing.applied(id, "high") == 0.5
    mix.set_muted(id, True)
    assert not hearing.is_heard(id, "low")
    session.is_free = True
    qtbot.waitUntil(lambda: not hearing.is_running)
    assert hearing.is_heard(id, "low")


def test_on_a_model_with_one_expert_a_low_noise_file_is_heard(
    qtbot: QtBot, mix: MixState, bridge: EngineBridge
) -> None:
    assert mix.model is not None
    bridge.model_loaded.emit(ModelLoaded(replace(mix.model, experts=("high",)), 0.1))
    added = mix.strip(add(qtbot, mix, bridge, "mono", hint="low"))
    assert added is not None and (added.high, added.low) == (1.0, 1.0)
