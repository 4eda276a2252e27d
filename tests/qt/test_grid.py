"""The grid, from the desk's menu to its clips, files and recipes."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from catalog import recipe_files
from catalog.recipe import GRID, unknown_fields
from engine.errors import OutOfMemory
from engine.grid_axis import SeedAxis, StrengthAxis
from engine.live import LiveControls
from tests.decoded import pixels_of
from tests.fakes import FakeSession
from tests.qt.conftest import HashingSession, wait_for_desk
from ui.app import Program
from ui.grid.axis_editor import AxisEditor
from ui.grid.choices import SEEDS, Choice, at_first, choices
from ui.grid.window import GridWindow
from ui.state.grid import GridState
from ui.state.grid_files import MOST_BYTES, made_small

STEPS, HIGH = 4, 1
"""Steps of a clip, and those of the high-noise expert among them, as the fake has it."""
TIGHT = 400_000
"""Bytes in which four clips of a test do not fit with all their pixels."""


class FailingSession(HashingSession):
    """A fake that runs out of memory at its next step, when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.is_to_fail = False

    def _wait(self, live: LiveControls) -> None:
        super()._wait(live)
        if self.is_to_fail:
            self.is_to_fail = False
            raise OutOfMemory("The device ran out of memory.")


@pytest.fixture
def session() -> Iterator[FailingSession]:
    session = FailingSession()
    yield session
    session.is_free = True


@pytest.fixture
def bench(two_strips: Program) -> Program:
    """The window of the grid is open over a desk with halo and giant."""
    program = two_strips
    action = next(a for a in program.window.desk.menu().actions() if a.text().startswith("Grid"))
    action.trigger()
    window, _ = parts(program)
    for editor in (window.setup.columns, window.setup.rows):
        write(editor.values, "0, 1")
    window.setup.clips.boxes["steps"].setValue(STEPS)
    return program


def parts(bench: Program) -> tuple[GridWindow, GridState]:
    assert bench.grid.window is not None and bench.grid.state is not None
    return bench.grid.window, bench.grid.state


def write(field: QLineEdit, text: str) -> None:
    """As if typed; `QTest.keyClicks` knows no “…”."""
    field.setText(text)
    field.textEdited.emit(text)


def is_over(state: GridState) -> bool:
    return not state.is_going and all(c.file or c.problem or c.status == "waiting" for c in state.cells)


def rendered(bench: Program, qtbot: QtBot, session: FakeSession) -> tuple[GridWindow, GridState]:
    window, state = parts(bench)
    session.is_free = True
    QTest.mouseClick(window.render_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: is_over(state))
    return window, state


def one_step(qtbot: QtBot, bench: Program, session: FakeSession) -> None:
    _, state = parts(bench)
    made = state.pace.made
    session.steps.put(None)
    qtbot.waitUntil(lambda: state.pace.made > made)


def test_it_is_set_up_from_the_desk_and_says_what_it_comes_to(bench: Program) -> None:
    window, _ = parts(bench)
    setup = window.setup
    texts = [setup.columns.what.itemText(i) for i in range(setup.columns.what.count())]
    assert texts == [
        *("halo · HIGH", "halo · LOW", "halo", "giant · HIGH", "giant · LOW", "giant"), "Seed",
    ]  # fmt: skip
    assert (setup.columns.what.currentText(), setup.rows.what.currentText()) == ("halo · LOW", "halo · HIGH")
    assert "2 × 2 = 4 clips" in setup.summary.text() and "of 16 steps" in setup.summary.text()
    assert bench.run.settings.steps != STEPS, "the clip on the stage has its own"
    write(setup.rows.values, "0, one")
    assert "“one” is no number" in setup.rows.said.text() and "“one”" in setup.summary.text()
    write(setup.rows.values, "0…1 in 40")
    assert "at most 64" in setup.summary.text()
    QTest.mouseClick(window.render_button, Qt.MouseButton.LeftButton)
    assert window.bar.messages[-1].kind == "look" and not parts(bench)[1].cells


def test_what_was_chosen_comes_again_with_its_strip_and_values_stay_with_their_kind(qtbot: QtBot) -> None:
    halo, giant = Choice("1", "halo"), Choice("2", "giant", "low")
    editor = AxisEditor("Columns", is_optional=False)
    qtbot.addWidget(editor)
    editor.suggest_seeds(7)
    editor.offer((halo, giant, SEEDS), halo)
    editor.what.setCurrentIndex(1)
    editor.what.activated.emit(1)
    write(editor.values, "0.25, 0.5")
    editor.offer((SEEDS,), SEEDS)
    assert editor.axis() == SeedAxis((7, 8, 9))
    editor.offer((halo, giant, SEEDS), halo)
    assert editor.axis() == StrengthAxis("2", "giant", "low", (0.25, 0.5))
    editor.what.setCurrentIndex(2)
    write(editor.values, "3, 4")
    editor.suggest_seeds(8)
    editor.what.setCurrentIndex(0)
    editor.what.setCurrentIndex(2)
    assert editor.axis() == SeedAxis((3, 4))


def test_faders_stay_chosen_while_a_model_is_loaded(
    bench: Program, qtbot: QtBot, session: FailingSession
) -> None:
    window, _ = parts(bench)
    columns = window.setup.columns
    giant = columns.what.findText("giant")
    columns.what.setCurrentIndex(giant)
    columns.what.activated.emit(giant)
    with qtbot.waitSignal(bench.bridge.model_loaded):
        bench.bridge.load_model("demo")
    window.setup.refresh()
    assert columns.what.currentText() == "giant"
    wait_for_desk(qtbot, bench.mix)
    qtbot.waitUntil(lambda: "2 × 2" in window.setup.summary.text())
    assert columns.what.currentText() == "giant"


@pytest.mark.parametrize(("gone", "kept"), [("columns", "rows"), ("rows", "columns")])
def test_what_comes_in_place_of_a_strip_that_left_is_not_on_both_axes(
    bench: Program, qtbot: QtBot, gone: str, kept: str
) -> None:
    window, _ = parts(bench)
    for axis, text in ((gone, "giant"), (kept, "halo")):
        what = getattr(window.setup, axis).what
        what.setCurrentIndex(what.findText(text))
        what.activated.emit(what.currentIndex())
    giant = bench.mix.strips[1].id
    bench.mix.remove(giant)
    qtbot.waitUntil(lambda: "2 × 1 = 2 clips" in window.setup.summary.text() or "Seed" in columns(window))
    assert window.setup.problem == "" and getattr(window.setup, kept).what.currentText() == "halo"
    bench.mix.undo.undo()
    qtbot.waitUntil(lambda: getattr(window.setup, gone).what.currentText() == "giant")


def columns(window: GridWindow) -> str:
    return window.setup.columns.what.currentText()


def test_muted_strips_are_not_offered(bench: Program, qtbot: QtBot) -> None:
    window, _ = parts(bench)
    bench.mix.set_muted(bench.mix.strips[0].id, True)
    qtbot.waitUntil(lambda: window.setup.columns.what.itemText(0) == "giant · HIGH")


def test_every_cell_gets_its_clip_with_its_recipe_and_shared_steps_are_made_once(
    bench: Program, qtbot: QtBot, session: FailingSession
) -> None:
    window, state = rendered(bench, qtbot, session)
    assert state.folder is not None and state.finished == 4
    names = sorted(file.name for file in state.folder.iterdir())
    assert names[1] == "1-2 halo LOW 1.00, halo HIGH 0.00.mp4" and len(names) == 4
    found = [recipe_files.load(state.folder / name).loras[0] for name in names]
    assert [(use.high, use.low) for use in found] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert len(session.heard) == state.pace.made == 2 * HIGH + 4 * (STEPS - HIGH)
    assert (
        state.pace.taken_over == 4 * STEPS - state.pace.made
        and "2 of 16 steps shared" in window.status.text()
    )
    assert not bench.run.takes.all and bench.run.phase == "idle", "the stage had no part in it"


def test_the_desk_may_change_meanwhile(bench: Program, qtbot: QtBot, session: FailingSession) -> None:
    window, state = parts(bench)
    giant = bench.mix.strips[1]
    QTest.mouseClick(window.render_button, Qt.MouseButton.LeftButton)
    bench.mix.set_strength(giant.id, "low", -1.0)
    session.is_free = True
    qtbot.waitUntil(lambda: is_over(state))
    heard = {s.low for mix in session.heard for s in mix.strips if s.adapter == giant.id}
    assert heard == {giant.low}


def test_a_clip_goes_first_and_the_grid_goes_on_by_itself(
    bench: Program, qtbot: QtBot, session: FailingSession
) -> None:
    window, state = parts(bench)
    QTest.mouseClick(window.render_button, Qt.MouseButton.LeftButton)
    for _ in range(2):
        one_step(qtbot, bench, session)
    with qtbot.waitSignal(bench.run.started):
        bench.run.generate()
    assert state.is_paused and "waits" in window.status.text()
    session.is_free = True
    with qtbot.waitSignal(bench.run.finished):
        pass
    qtbot.waitUntil(lambda: is_over(state))
    assert state.finished == 4 and bench.run.takes.current is not None
    assert state.pace.made == 2 * HIGH + 4 * (STEPS - HIGH), "what was made before the clip was kept"
    assert state.pace.made + state.pace.taken_over == 4 * STEPS, "each step of a cell counts once"


def test_an_audition_goes_first_and_a_grid_ends_one(
    bench: Program, qtbot: QtBot, session: FailingSession
) -> None:
    window, state = parts(bench)
    QTest.mouseClick(window.render_button, Qt.MouseButton.LeftButton)
    one_step(qtbot, bench, session)
    bench.audition.begin(bench.mix.strips[0].id)
    assert state.is_paused
    session.is_free = True
    qtbot.waitUntil(lambda: is_over(state))
    qtbot.waitUntil(lambda: bench.audition.trial is not None and bench.audition.trial.verdict is not None)
    QTest.mouseClick(window.render_button, Qt.MouseButton.LeftButton)
    assert bench.audition.trial is None
    qtbot.waitUntil(lambda: is_over(state))


def test_a_cell_that_fails_says_why_and_the_others_go_on(
    bench: Program, qtbot: QtBot, session: FailingSession
) -> None:
    session.is_to_fail = True
    window, state = rendered(bench, qtbot, session)
    assert [cell.status for cell in state.cells].count("failed") == 1 and state.finished == 3
    failed = next(cell for cell in state.cells if cell.status == "failed")
    assert failed.words == "The device ran out of memory." and "1 failed" in window.status.text()
    QTest.mouseClick(window.rest, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: is_over(state))
    assert state.finished == 4 and not window.rest.isVisible()


def test_cancel_keeps_what_is_finished_and_the_rest_can_be_had_later(
    bench: Program, qtbot: QtBot, session: FailingSession
) -> None:
    window, state = parts(bench)
    QTest.mouseClick(window.render_button, Qt.MouseButton.LeftButton)
    for _ in range(STEPS + 1):
        one_step(qtbot, bench, session)
    QTest.keyClick(window, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: is_over(state))
    assert window.isVisible() and state.finished == 1 and state.folder is not None
    assert len(list(state.folder.iterdir())) == 1
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert not window.isVisible()
    bench.grid.open()
    session.is_free = True
    QTest.mouseClick(window.rest, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: is_over(state))
    assert state.finished == 4 and window.playback.count == bench.run.settings.frames


def test_a_grid_of_which_nothing_was_finished_leaves_no_folder(bench: Program, qtbot: QtBot) -> None:
    window, state = parts(bench)
    QTest.mouseClick(window.render_button, Qt.MouseButton.LeftButton)
    assert state.folder is not None and state.folder.exists()
    state.stop()
    assert not state.folder.exists()


@pytest.mark.parametrize("way", ["double-click", "keys", "button"])
def test_a_cell_is_taken_onto_the_desk_in_one_undo_step(
    bench: Program, qtbot: QtBot, session: FailingSession, way: str
) -> None:
    window, state = rendered(bench, qtbot, session)
    halo = bench.mix.strips[0]
    bench.mix.set_strength(bench.mix.strips[1].id, "low", 0.3)
    before, count = bench.mix.strips, bench.mix.undo.count()
    sheet = window.view.sheet
    assert sheet is not None
    place = sheet.area(1, 0).center().toPoint()
    if way == "double-click":
        QTest.mouseClick(window.view, Qt.MouseButton.LeftButton, pos=place)
        QTest.mouseDClick(window.view, Qt.MouseButton.LeftButton, pos=place)
    elif way == "keys":
        for key in (Qt.Key.Key_End, Qt.Key.Key_Left, Qt.Key.Key_Return):
            QTest.keyClick(window.view, key)
    else:
        window.view.choose(2)
        QTest.mouseClick(window.foot.take, Qt.MouseButton.LeftButton)
    now = bench.mix.strips
    assert (now[0].high, now[0].low) == (1.0, 0.0) and now[0].id == halo.id
    assert now[1].low == 1.0, "the desk is as it was when the grid began: it plays that clip"
    assert bench.mix.mix.strips == state.cells[2].cell.mix.strips
    assert bench.mix.undo.count() == count + 1
    window.view.setFocus()
    QTest.keyClick(window.view, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert bench.mix.strips == before and not window.bar.messages


def test_a_seed_is_taken_with_its_cell(bench: Program, qtbot: QtBot, session: FailingSession) -> None:
    window, _ = parts(bench)
    rows = window.setup.rows
    rows.what.setCurrentIndex(rows.what.findText("Seed"))
    write(rows.values, "11, 12")
    window, state = rendered(bench, qtbot, session)
    assert [cell.cell.recipe.seed for cell in state.cells] == [11, 11, 12, 12]
    for _ in range(2):  # also where a clip was made with it, after which the next one has another
        state.take(2)
        assert bench.run.settings.seed == 12
        with qtbot.waitSignal(bench.run.finished):
            bench.run.generate()
        assert bench.run.settings.seed == 12


def test_two_faders_over_two_seeds(bench: Program, qtbot: QtBot, session: FailingSession) -> None:
    window, _ = parts(bench)
    write(window.setup.seeds, "11, x")
    assert "“x” is no seed" in window.setup.summary.text()
    write(window.setup.seeds, "11, 12")
    assert "2 × 4 = 8 clips" in window.setup.summary.text()
    window, state = rendered(bench, qtbot, session)
    assert state.finished == 8 and state.pace.made == 2 * (2 * HIGH + 4 * (STEPS - HIGH))
    state.take(6)
    strip = bench.mix.strips[0]
    assert (strip.high, strip.low, bench.run.settings.seed) == (1.0, 0.0, 12)


def test_what_no_longer_holds_ends_it(bench: Program, qtbot: QtBot, session: FailingSession) -> None:
    window, state = parts(bench)
    QTest.mouseClick(window.render_button, Qt.MouseButton.LeftButton)
    one_step(qtbot, bench, session)
    bench.mix.remove(bench.mix.strips[1].id)
    assert not state.is_going and "giant left the desk" in window.bar.messages[-1].sentence
    assert not window.rest.isEnabled()
    bench.mix.undo.undo()
    qtbot.waitUntil(lambda: window.rest.isEnabled())
    QTest.mouseClick(window.rest, Qt.MouseButton.LeftButton)
    assert state.is_going
    with qtbot.waitSignal(bench.bridge.model_loaded):
        bench.bridge.load_model("demo")  # behind the cell under way, before the next one
        session.is_free = True
    assert not state.is_going and "model" in window.bar.messages[-1].sentence


def test_all_clips_show_the_same_moment(bench: Program, qtbot: QtBot, session: FailingSession) -> None:
    window, state = rendered(bench, qtbot, session)
    playback = window.playback
    QTest.keyClick(window.view, Qt.Key.Key_Space)
    assert not playback.is_playing
    playback.seek(5)
    assert window.view.moment == (5, playback.count) and playback.count == 17
    small = [cell.small for cell in state.cells]
    assert all(clip is not None and len(clip) == playback.count for clip in small)
    window.hide()
    assert playback.count == 0


@pytest.mark.parametrize(
    ("suffix", "room"),
    [(".mp4", TIGHT), (".webm", MOST_BYTES), (".gif", MOST_BYTES)],
    ids=["mp4 with all pixels", "webm", "gif"],
)
def test_the_whole_grid_is_one_video(
    bench: Program,
    qtbot: QtBot,
    session: FailingSession,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    suffix: str,
    room: int,
) -> None:
    monkeypatch.setattr("ui.state.grid.MOST_BYTES", room)
    window, state = rendered(bench, qtbot, session)
    file = tmp_path / f"sheet{suffix}"
    menu = window.foot.export.menu_of_sizes()
    assert bool(menu) == (room == TIGHT), (
        "there is a choice where the clips in memory are smaller than their own"
    )
    with qtbot.waitSignal(state.files.exported):
        window.foot.export.export_to(file, is_full=bool(menu))
        assert window.foot.export.text().startswith("Stop")
    assert window.foot.export.text() == "Export…" and window.foot.export.isEnabled()
    assert [message.sentence for message in window.bar.messages] == [f"Saved as {file.name}."]
    pixels = pixels_of(file)
    sheet = pixels[: len(pixels) // 17]
    assert len(pixels) == 17 * len(sheet) and len(set(sheet)) > 10, "clips, ground and letters"
    if suffix != ".gif":
        recipe = recipe_files.load(file)
        assert recipe.extra[GRID]["rows"] == {"lora": 0, "part": "high", "strengths": [0.0, 1.0]}
        assert len(recipe.loras) == 2 and not unknown_fields(recipe)
        assert bench.recipes.open(file)


def test_an_export_never_replaces_a_file_that_nobody_named(
    bench: Program, qtbot: QtBot, session: FailingSession, tmp_path: Path
) -> None:
    window, _ = rendered(bench, qtbot, session)
    (tmp_path / "sheet.mp4").write_text("mine")
    window.foot.export.export_to(tmp_path / "sheet")
    assert "already there" in window.bar.messages[-1].sentence
    assert (tmp_path / "sheet.mp4").read_text() == "mine"


def test_every_cell_has_a_recipe_whether_it_was_rendered_or_not(
    bench: Program, qtbot: QtBot, session: FailingSession, tmp_path: Path
) -> None:
    session.is_to_fail = True
    window, state = rendered(bench, qtbot, session)
    with qtbot.waitSignal(state.files.written) as written:
        window.foot.save_recipes(tmp_path)
    files = sorted(written.args[0].iterdir())
    found = [recipe_files.load(file) for file in files]
    assert [(r.loras[0].high, r.loras[0].low) for r in found] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert {(r.steps, r.seed) for r in found} == {(STEPS, bench.run.settings.seed)}
    assert files[3].name == "2-2 halo LOW 1.00, halo HIGH 1.00.json"


def test_eight_by_eight_can_be_scrolled_and_zoomed(
    bench: Program, qtbot: QtBot, session: FailingSession
) -> None:
    window, state = parts(bench)
    for editor in (window.setup.columns, window.setup.rows):
        write(editor.values, "0…7 in 8")
    window.resize(1000, 600)
    QTest.mouseClick(window.render_button, Qt.MouseButton.LeftButton)
    assert len(state.cells) == 64
    QTest.keyClick(window.view, Qt.Key.Key_Plus)
    qtbot.waitUntil(lambda: window.area.verticalScrollBar().maximum() > 0)
    QTest.keyClick(window.view, Qt.Key.Key_End)
    sheet = window.view.sheet
    assert sheet is not None and window.view.place == 63
    last = sheet.area(7, 7).toAlignedRect()
    assert window.view.visibleRegion().contains(QPoint(last.center()))
    state.cancel()


def test_a_clip_that_cannot_be_saved_is_shown_all_the_same(
    bench: Program, qtbot: QtBot, session: FailingSession, tmp_path: Path
) -> None:
    (tmp_path / "no folder").write_text("a file")
    bench.settings.outputs = tmp_path / "no folder" / "outputs"
    window, state = rendered(bench, qtbot, session)
    assert state.finished == 4 and all(cell.small is not None and cell.file is None for cell in state.cells)
    assert "Not saved" in window.foot.chosen.text()
    with qtbot.waitSignal(state.files.written):
        window.foot.save_recipes(tmp_path)
    assert window.bar.messages[-1].sentence.startswith("The recipes are in “grid ")


def test_a_model_of_one_expert_has_one_fader_to_choose(bench: Program) -> None:
    assert bench.mix.model is not None
    bench.mix.model = replace(bench.mix.model, experts=("high",))
    texts = [choice.text for choice in choices(bench.mix)]
    assert texts == ["halo", "giant", "Seed"]
    across, down = at_first(choices(bench.mix))
    assert across is not None and down is not None and (across.part, down.name) == ("both", "giant")


def test_a_finished_window_shows_its_clips_again(
    bench: Program, qtbot: QtBot, session: FailingSession
) -> None:
    window, state = rendered(bench, qtbot, session)
    window.close()
    bench.grid.open()
    assert window.playback.count == 17 and window.view.moment[1] == 17 and state.finished == 4


def test_small_clips_keep_within_their_room() -> None:
    frames = np.random.default_rng(0).integers(0, 255, (9, 48, 80, 3), np.uint8)
    whole = made_small(frames, 1 << 30)
    assert np.array_equal(whole[..., 2::-1], frames), "as it is, where there is room"
    small = made_small(frames, frames.size // 3)
    assert small.nbytes <= frames.size // 3 and len(small) == 9
    high, wide = small.shape[1:3]
    assert abs(wide / high - 80 / 48) < 0.1
