"""The bar at the top starts and stops runs and opens models."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from tests.fakes import FakeSession
from tests.qt.stage.conftest import Said
from ui.state.live import Live
from ui.state.mix import MixState
from ui.state.run import RunState
from ui.theme import theme
from ui.top_bar import TopBar


@pytest.fixture
def live(run: RunState) -> Live:
    return Live(run, MixState(run.bridge))  # type: ignore[attr-defined]


@pytest.fixture
def bar(qtbot: QtBot, run: RunState, live: Live) -> TopBar:
    bar = TopBar(run, live)
    qtbot.addWidget(bar)
    bar.resize(1100, 48)
    bar.show()
    return bar


def test_generate_turns_into_queue_another_and_cancel_wakes(
    qtbot: QtBot, run: RunState, bar: TopBar, session: FakeSession
) -> None:
    assert bar.generate.accessibleName() == "Generate" and not bar.cancel.isEnabled()
    width = bar.generate.width()
    with qtbot.waitSignal(run.started):
        qtbot.mouseClick(bar.generate, Qt.MouseButton.LeftButton)
    assert bar.generate.text().startswith("Queue another") and "Ctrl+Enter" in bar.generate.text()
    assert bar.generate.width() == width
    run.generate()
    assert bar.engine.text() == "fake device · 1 clip waits"
    run.cancel()
    with qtbot.waitSignal(run.started):
        pass
    qtbot.mouseClick(bar.cancel, Qt.MouseButton.LeftButton)
    assert not bar.cancel.isEnabled()
    qtbot.waitUntil(lambda: run.phase == "idle")
    assert bar.generate.text().startswith("Generate")


def test_the_line_shows_how_far_the_run_is(
    qtbot: QtBot, run: RunState, bar: TopBar, session: FakeSession
) -> None:
    with qtbot.waitSignal(run.started):
        run.generate()
    for _ in range(5):
        with qtbot.waitSignal(run.step_finished):
            session.steps.put(None)
    assert bar.fraction == 0.25
    image = bar.grab().toImage()
    assert image.pixelColor(100, 47) == QColor(theme().accent) != image.pixelColor(600, 47)


def test_it_says_what_the_engine_does(qtbot: QtBot, cold_run: RunState) -> None:
    bar = TopBar(cold_run, Live(cold_run, MixState(cold_run.bridge)))  # type: ignore[attr-defined]
    qtbot.addWidget(bar)
    assert bar.engine.text() == "starting the engine…"
    with qtbot.waitSignal(cold_run.bridge.model_loaded):  # type: ignore[attr-defined]
        cold_run.bridge.start()  # type: ignore[attr-defined]
        cold_run.open_model("demo")
    assert bar.engine.text() == "fake device"


def test_live_is_a_lamp_that_says_its_state(qtbot: QtBot, bar: TopBar, live: Live) -> None:
    assert not bar.live.isChecked() and "off" in bar.live.toolTip() and "Ctrl+L" in bar.live.toolTip()
    qtbot.mouseClick(bar.live, Qt.MouseButton.LeftButton)
    assert live.is_on and bar.live.isChecked() and "on" in bar.live.toolTip()
    live.set_on(False)
    assert not bar.live.isChecked()


def test_a_draft_does_not_disturb_the_bar(
    qtbot: QtBot, run: RunState, bar: TopBar, session: FakeSession
) -> None:
    with qtbot.waitSignal(run.started):
        run.draft()
    with qtbot.waitSignal(run.step_finished):
        session.steps.put(None)
    assert bar.generate.accessibleName() == "Generate" and bar.fraction == 0 and bar.cancel.isEnabled()
    qtbot.mouseClick(bar.cancel, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: run.phase == "idle")


def test_settings_are_asked_for(qtbot: QtBot, bar: TopBar) -> None:
    with qtbot.waitSignal(bar.settings_requested):
        qtbot.mouseClick(bar.settings, Qt.MouseButton.LeftButton)


def test_the_model_menu(bar: TopBar, run: RunState, tmp_path: Path) -> None:
    (tmp_path / "wan-2.2").mkdir()
    run.recent_models = (str(tmp_path / "wan-2.2"),)
    menu = bar.chooser.menu()
    menu.aboutToShow.emit()
    texts = [action.text() for action in menu.actions()]
    ways = ["New model from files…", "Open a diffusers folder…", "Get a model…", "Remove from this list"]
    assert texts == ["Demo · tiny Wan 2.2", "wan-2.2", "", *ways]
    assert [action.isChecked() for action in menu.actions()] == [True, *[False] * 6]


def test_models_of_one_name_are_told_apart_by_their_folders(
    bar: TopBar, run: RunState, tmp_path: Path
) -> None:
    for name in ("one/wan", "two/wan", "two/vace"):
        (tmp_path / name).mkdir(parents=True)
    run.recent_models = tuple(str(tmp_path / name) for name in ("one/wan", "two/wan", "two/vace"))
    bar.chooser.menu().aboutToShow.emit()
    assert [a.text() for a in bar.chooser.menu().actions()][1:4] == ["wan · one", "wan · two", "vace"]


def test_a_model_that_is_gone_leaves_the_menu_and_one_on_a_disk_that_is_not_there_waits(
    bar: TopBar, run: RunState, tmp_path: Path
) -> None:
    gone, away = str(tmp_path / "gone"), str(tmp_path / "disk" / "wan")
    run.recent_models = (gone, away)
    menu = bar.chooser.menu()
    menu.aboutToShow.emit()
    assert run.recent_models == (away,)
    assert {"gone", "wan", "Remove from this list"}.isdisjoint(action.text() for action in menu.actions())
    Path(away).mkdir(parents=True)
    menu.aboutToShow.emit()
    assert "wan" in [action.text() for action in menu.actions()]


def test_a_folder_that_is_no_model_is_refused(
    qtbot: QtBot, bar: TopBar, run: RunState, said: Said, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    menu = bar.chooser.menu()
    menu.aboutToShow.emit()
    with qtbot.waitSignal(run.message):
        next(action for action in menu.actions() if "diffusers folder" in action.text()).trigger()
    assert said.last[0] == "refused" and "model_index.json" in said.last[1]
    assert bar.chooser.text() == "Demo · tiny Wan 2.2"


def test_a_models_folder_opens_and_is_remembered(
    qtbot: QtBot, bar: TopBar, run: RunState, tmp_path: Path
) -> None:
    copy = tmp_path / "copy of demo"
    copy.symlink_to(run.model.path, target_is_directory=True)
    real = tmp_path / "wan"
    for part in ("transformer", "vae", "scheduler"):
        (real / part).mkdir(parents=True)
        for file in (run.model.path / part).glob("*.json"):
            (real / part / file.name).write_bytes(file.read_bytes())
    (real / "model_index.json").write_bytes((run.model.path / "model_index.json").read_bytes())
    with qtbot.waitSignal(run.bridge.model_loaded):  # type: ignore[attr-defined]
        run.open_model(str(real))
        assert run.phase == "loading" and bar.engine.text().startswith("looking at ")
    assert run.recent_models == (str(real.resolve()),)
    assert run.recipe().model == str(real.resolve())
    assert run.phase == "idle"
