"""Models are looked at beside the window: it goes on, and what was asked for comes in the order of asking."""

import shutil
import threading
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

import catalog.models
import resources
import ui.state.model_reader
from catalog.models import ModelInfo
from catalog.recipe import LoraUse, Recipe, dumps
from engine.bridge import EngineBridge
from tests.fakes import FakeSession
from ui.app import Program
from ui.state.run import RunState


def folder_in(tmp_path: Path, name: str) -> Path:
    """A model folder without weights, like the demo's."""
    demo, folder = resources.path("demo"), tmp_path / name
    for file in demo.rglob("*.json"):
        target = folder / file.relative_to(demo)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    return folder.resolve()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """A disk that answers when this is set, and says on which thread it was asked."""
    answers = threading.Event()

    def find(name: str) -> ModelInfo:
        assert threading.current_thread() is not threading.main_thread()
        assert answers.wait(60)
        return catalog.models.find_model(name)

    monkeypatch.setattr(ui.state.model_reader, "find_model", find)
    return answers


def test_the_window_goes_on_while_a_model_is_looked_at(
    qtbot: QtBot, bridge: EngineBridge, tmp_path: Path, slow: threading.Event
) -> None:
    run, folder = RunState(bridge), folder_in(tmp_path, "other")
    bridge.load_model("demo")
    qtbot.waitUntil(lambda: run.is_ready)
    run.open_model(str(folder))
    assert run.phase == "loading" and run.model_name == "demo"
    run.generate()
    assert run.queue_text == "1 clip waits"
    slow.set()
    qtbot.waitUntil(lambda: run.current_run is not None)
    assert run.model_name == str(folder) and run.queue_text == ""


def test_two_models_come_in_the_order_in_which_they_were_asked_for(
    qtbot: QtBot, bridge: EngineBridge, tmp_path: Path, slow: threading.Event
) -> None:
    run = RunState(bridge)
    for name in ("one", "two"):
        run.open_model(str(folder_in(tmp_path, name)))
    slow.set()
    qtbot.waitUntil(lambda: run.is_ready)
    assert [Path(name).name for name in run.recent_models] == ["two", "one"]


def test_a_model_that_is_not_there_is_refused_and_the_one_before_goes_on(
    qtbot: QtBot, bridge: EngineBridge
) -> None:
    run, said = RunState(bridge), list[tuple[str, str]]()
    bridge.load_model("demo")
    qtbot.waitUntil(lambda: run.is_ready)
    run.message.connect(lambda kind, sentence, *_: said.append((kind, sentence)))
    run.open_model("/nowhere")
    run.generate()
    qtbot.waitUntil(lambda: run.current_run is not None)
    assert said[0][0] == "refused" and "/nowhere" in said[0][1]
    assert run.model_name == "demo"


def test_the_loras_of_a_recipe_come_after_its_model(
    qtbot: QtBot, program: Program, session: FakeSession, tmp_path: Path, slow: threading.Event
) -> None:
    folder = folder_in(tmp_path, "other")
    lora = resources.path("demo") / "loras" / "ring.safetensors"
    file = tmp_path / "recipe.json"
    file.write_text(dumps(Recipe(model=str(folder), seed=5, loras=(LoraUse(str(lora)),))))
    before = len(program.mix.strips)
    program.recipes.open(file)
    assert program.run.settings.seed != 5 and len(program.mix.strips) == before
    slow.set()
    qtbot.waitUntil(lambda: program.run.is_ready and program.run.model_name == str(folder))
    assert program.run.settings.seed == 5
    assert [strip.path.name for strip in program.mix.strips] == ["ring.safetensors"]
