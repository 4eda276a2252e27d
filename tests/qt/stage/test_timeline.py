"""The denoise timeline follows the run and looks back at it."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QMouseEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.fakes import FakeSession
from tests.qt.stage.conftest import finish
from ui.stage.panel import StagePanel
from ui.stage.timeline import Timeline
from ui.state.run import RunState
from ui.theme import theme


@pytest.fixture
def timeline(stage: StagePanel) -> Timeline:
    return stage.timeline


def middle(timeline: Timeline, step: int) -> QPoint:
    return timeline.cell(step).center().toPoint()


def hover(timeline: Timeline, place: QPoint) -> None:
    """As if the mouse were there, whatever window of another test lies over it."""
    at, none = QPointF(place), Qt.MouseButton.NoButton
    moved = QMouseEvent(QEvent.Type.MouseMove, at, at, none, none, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(timeline, moved)


def underline(timeline: Timeline, step: int) -> QColor:
    area = timeline.cell(step)
    image = timeline.grab().toImage()
    return image.pixelColor(round(area.center().x()), round(area.bottom()) + 4)


def test_before_the_first_run_there_is_a_cell_per_step_to_come(run: RunState, timeline: Timeline) -> None:
    run.change(replace(run.settings, steps=33))
    assert timeline.track.count == 33 and timeline.track.experts == () and timeline.track.boundary is None


def test_cells_fill_the_width_in_order_and_the_mouse_finds_them(timeline: Timeline) -> None:
    cells = [timeline.cell(step) for step in range(timeline.track.count)]
    assert cells[0].left() == 0 and cells[-1].right() == pytest.approx(timeline.width())
    assert [timeline.track.step_at(cell.center().x(), timeline.width()) for cell in cells] == list(
        range(timeline.track.count)
    )


def test_a_cell_shows_its_preview_and_its_experts_colour(
    qtbot: QtBot, run: RunState, timeline: Timeline, session: FakeSession
) -> None:
    finish(qtbot, run, session, steps=10)
    assert timeline.track.experts[:3] == ("high", "high", "low")
    image = timeline.grab().toImage()
    for step in (0, 5, 9):
        assert image.pixelColor(middle(timeline, step)).red() == 40 + step
    assert timeline.track.fresh == timeline.track.done == 10
    assert underline(timeline, 1) == QColor(theme().high)
    assert underline(timeline, 2) == QColor(theme().low)


def test_hovering_looks_at_a_step_and_leaving_brings_the_clip_back(
    qtbot: QtBot, run: RunState, stage: StagePanel, session: FakeSession
) -> None:
    finish(qtbot, run, session)
    hover(stage.timeline, middle(stage.timeline, 2))
    qtbot.waitUntil(lambda: stage.showing.step == 2)
    assert stage.playback.frames[0, 0, 0, 0] == 42
    QApplication.sendEvent(stage.timeline, QEvent(QEvent.Type.Leave))
    assert stage.showing.is_take and stage.playback.frames[0, 0, 0, 0] == 200


def test_clicking_keeps_a_step_and_clicking_again_lets_it_go(
    qtbot: QtBot, run: RunState, stage: StagePanel, session: FakeSession
) -> None:
    finish(qtbot, run, session)
    for is_pinned in (True, False):
        qtbot.mouseClick(stage.timeline, Qt.MouseButton.LeftButton, pos=middle(stage.timeline, 3))
        stage.showing.look_away()
        assert (stage.showing.step == 3) == is_pinned


def test_arrow_keys_walk_the_steps_and_end_goes_back(
    qtbot: QtBot, run: RunState, stage: StagePanel, session: FakeSession
) -> None:
    finish(qtbot, run, session)
    for key, step in (
        (Qt.Key.Key_Left, 5), (Qt.Key.Key_Left, 4), (Qt.Key.Key_Right, 5), (Qt.Key.Key_Right, 5),
        (Qt.Key.Key_Home, 0), (Qt.Key.Key_Left, 0), (Qt.Key.Key_End, None),
    ):  # fmt: skip
        qtbot.keyClick(stage.timeline, key)
        assert stage.showing.step == step
    assert stage.showing.is_take


def test_during_a_run_the_newest_preview_is_on(
    qtbot: QtBot, run: RunState, stage: StagePanel, session: FakeSession
) -> None:
    finish(qtbot, run, session)
    with qtbot.waitSignal(run.started):
        run.generate()
    assert stage.showing.is_take
    for step in range(3):
        with qtbot.waitSignal(run.step_finished):
            session.steps.put(None)
        assert stage.showing.step == step
    stage.showing.look_at(0)
    with qtbot.waitSignal(run.step_finished):
        session.steps.put(None)
    assert stage.showing.step == 0
    stage.showing.look_away()
    assert stage.showing.step == 3


def test_steps_not_done_cannot_be_looked_at(stage: StagePanel) -> None:
    stage.showing.look_at(3)
    stage.showing.pin(-1)
    assert stage.showing.shown is None


def test_a_step_in_words(qtbot: QtBot, run: RunState, timeline: Timeline, session: FakeSession) -> None:
    finish(qtbot, run, session)
    assert timeline.track.describe(0) == "step 1 of 6 · σ 1.000 · HIGH noise · 0.01 s"
    assert timeline.track.describe(9) == ""


def test_one_expert_has_no_letters_but_noise_levels(
    qtbot: QtBot, run: RunState, timeline: Timeline, session: FakeSession
) -> None:
    finish(qtbot, run, session)
    take = run.takes.current
    assert take is not None
    run.takes.current = replace(take, model=replace(take.model, experts=("high",), boundary=None))
    assert timeline.track.experts == () and timeline.track.boundary is None
    assert timeline.track.ends == ("σ 1.00", "σ 0.17")
    assert "noise" not in timeline.track.describe(0)
    assert underline(timeline, 1) == QColor(theme().secondary)


@pytest.mark.parametrize("steps", [1, 2, 100])
def test_any_number_of_steps_can_be_painted(
    qtbot: QtBot, run: RunState, timeline: Timeline, session: FakeSession, steps: int
) -> None:
    finish(qtbot, run, session, steps=steps)
    for width in (90, 400, 1400):
        timeline.resize(width, timeline.height())
        assert not timeline.grab().isNull()
