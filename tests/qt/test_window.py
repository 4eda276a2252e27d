"""The whole window over a real bridge: adding, dropping, opening, closing, and who can reach what."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QScrollBar,
    QSplitter,
    QWidget,
)
from pytestqt.qtbot import QtBot

from catalog.folders import Folders
from catalog.recipe import LoraUse, Recipe, dumps
from catalog.recipe_files import load
from engine.messages import ModelLoaded
from tests.fakes import FakeSession
from tests.unit.catalog.builders import wan_lora, write
from ui.app import CUT_OFF, Program
from ui.browser.cards import mime_of
from ui.desk.fader import Fader
from ui.desk.mime import STRIP_MIME
from ui.desk.strip import StripView
from ui.drop_overlay import DropOverlay
from ui.help import SHORTCUTS
from ui.theme import watcher

NONE = Qt.KeyboardModifier.NoModifier


def said(program: Program) -> str:
    return " | ".join(m.sentence for m in program.window.message_bar.messages)


def send(widget: QWidget, kind: type[QDropEvent], data: QMimeData, where: QPoint | None = None) -> QDropEvent:
    centre = where or widget.rect().center()
    place = QPoint(centre) if kind is QDragEnterEvent else QPointF(centre)
    event = kind(place, Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, NONE)  # type: ignore[arg-type]
    QApplication.sendEvent(widget, event)
    return event


def drop(program: Program, data: QMimeData, where: QPoint | None = None) -> None:
    """Drag files from outside onto the window and let go: the overlay has covered it by then."""
    overlay = program.window.findChild(DropOverlay)
    if overlay is not None and overlay.isHidden():
        assert send(program.window, QDragEnterEvent, data, where).isAccepted()
    assert overlay is not None and overlay.isVisible()
    send(overlay, QDragEnterEvent, data, where)
    send(overlay, QDropEvent, data, where)
    assert overlay.isHidden()


def files(*paths: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(p)) for p in paths])
    return data


def entry(program: Program, name: str) -> object:
    return next(e for e in program.cards.entries if e.name == name)


# First start


def test_a_newcomer_finds_a_desk_and_a_prompt(program: Program) -> None:
    assert [s.name for s in program.mix.strips] == ["halo", "giant"]
    assert [(s.high, s.low) for s in program.mix.mix.strips] == [(1, 1), (1, 1)]
    assert program.run.settings.prompt
    assert "Press Ctrl+Enter" in said(program)
    assert not program.mix.undo.canUndo()


def test_the_welcome_goes_when_it_was_followed(program: Program, qtbot: QtBot) -> None:
    with qtbot.waitSignal(program.run.started):
        program.run.generate()
    assert "Press Ctrl+Enter" not in said(program)


def test_the_welcome_goes_with_the_demo_model(program: Program) -> None:
    program.run._wear(replace(program.run.model, path=program.folders.state))
    assert "Press Ctrl+Enter" not in said(program)


def test_the_second_start_is_quiet(
    program: Program, open_program: Callable[[Folders], Program], folders: Folders
) -> None:
    program.window.close()
    again = open_program(folders)
    assert not again.window.message_bar.messages
    assert [s.name for s in again.mix.strips] == ["halo", "giant"], "the desk is as it was left"
    again.window.close()


# Desk


def test_a_card_becomes_a_strip_and_can_be_undone(program: Program, qtbot: QtBot) -> None:
    with qtbot.waitSignal(program.bridge.adapter_attached):
        program.window.browser.chosen.emit(entry(program, "halo"))
    assert len(program.window.desk.views) == 3
    program.mix.undo.undo()
    assert len(program.window.desk.views) == 2


def test_delete_removes_the_strip_and_focus_stays_on_the_desk(program: Program, qtbot: QtBot) -> None:
    first, second = program.window.desk.views
    first.setFocus()
    QTest.keyClick(first, Qt.Key.Key_Delete)
    assert program.window.desk.views == (second,)
    assert second.hasFocus()


def test_many_loras_at_once_come_little_by_little_and_are_one_step_of_undo(
    program: Program, qtbot: QtBot
) -> None:
    desk, mix, before = program.window.desk, program.mix, len(program.mix.strips)
    halo = program.folders.built_in / "halo.safetensors"
    data = mime_of([halo] * 12)
    how = Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    desk.dropEvent(QDropEvent(QPointF(50, 50), *how))
    assert len(mix.strips) == before + 12 > len(desk.views)
    qtbot.waitUntil(lambda: [view.id for view in desk.views] == [strip.id for strip in mix.strips])
    assert mix.undo.undoText() == "add 12 LoRAs"
    mix.undo.undo()
    assert len(mix.strips) == len(desk.views) == before


def test_letters_mute_and_solo_from_a_fader(program: Program) -> None:
    view = program.window.desk.views[0]
    fader = view.findChild(Fader)
    assert fader is not None
    QTest.keyClick(fader, Qt.Key.Key_M)
    assert program.mix.strips[0].is_muted
    QTest.keyClick(fader, Qt.Key.Key_M)
    QTest.keyClick(fader, Qt.Key.Key_S)
    assert program.mix.strips[0].is_solo and not program.mix.strips[0].is_muted


def test_a_strip_is_as_high_as_its_sentence_needs(program: Program, qtbot: QtBot) -> None:
    before = program.window.desk.views[0].height()
    program.mix.load([(LoraUse("x", per_step=(1.0, 0.5)), program.mix.strips[0].path, None)])
    view = program.window.desk.views[0]
    fader = view.findChild(Fader)
    assert fader is not None
    qtbot.waitUntil(lambda: view.height() > before)
    assert fader.height() == fader.sizeHint().height()


def test_a_new_strip_with_a_sentence_is_laid_out_at_once(program: Program, qtbot: QtBot) -> None:
    wrong = entry(program, "WaN_2.5_official")
    program.window.browser.chosen.emit(wrong)
    view = program.window.desk.views[-1]
    qtbot.waitUntil(view.isVisible)
    assert all(f.height() == f.sizeHint().height() for f in view.findChildren(Fader))
    bottom = max(child.geometry().bottom() for child in view.findChildren(QLabel) if child.isVisible())
    assert view.height() - bottom < 16


def test_a_new_strip_is_brought_into_view(program: Program, qtbot: QtBot) -> None:
    for _ in range(10):
        program.window.browser.chosen.emit(entry(program, "halo"))
    qtbot.waitUntil(lambda: program.window.desk.views[-1].visibleRegion().boundingRect().height() > 40)


def test_strips_move_by_keyboard(program: Program) -> None:
    first, second = program.window.desk.views
    QTest.keyClick(first, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert program.window.desk.views == (second, first)
    program.mix.undo.undo()
    assert program.window.desk.views == (first, second)


def test_a_drag_on_a_fader_is_heard_and_undone_as_one(program: Program) -> None:
    fader = program.window.desk.views[0].findChildren(Fader)[0]
    QTest.mousePress(fader, Qt.MouseButton.LeftButton, NONE, QPoint(fader.x_of(1.0), 11))
    for strength in (0.8, 0.5, 0.2):
        QTest.mouseMove(fader, QPoint(fader.x_of(strength), 11))
    QTest.mouseRelease(fader, Qt.MouseButton.LeftButton, NONE, QPoint(fader.x_of(0.2), 11))
    assert program.mix.mix.strips[0].high == pytest.approx(0.2, abs=0.051)
    program.mix.undo.undo()
    assert program.mix.mix.strips[0].high == 1.0 and fader.strength == 1.0


def test_a_card_dropped_on_the_desk_is_a_strip(program: Program) -> None:
    data = mime_of([entry(program, "halo").path])  # type: ignore[attr-defined]
    assert send(program.window.desk, QDragEnterEvent, data).isAccepted()
    send(program.window.desk, QDropEvent, data)
    assert [s.name for s in program.mix.strips][-1] == "halo"
    assert program.mix.strips[-1].entry is not None


def test_strips_move_by_drag(program: Program) -> None:
    first, second = program.window.desk.views
    data = QMimeData()
    data.setData(STRIP_MIME, first.id.encode())
    desk = program.window.desk
    below = QPoint(desk.width() // 2, desk.height() - 8)
    assert send(desk, QDragEnterEvent, data, below).isAccepted()
    send(desk, QDropEvent, data, below)
    assert desk.views == (second, first)


def test_a_theme_may_change_after_strips_are_gone(program: Program) -> None:
    for strip in program.mix.strips:
        program.mix.remove(strip.id)
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    watcher().choose("light")
    program.mix.undo.undo()
    watcher().choose("dark")
    assert len(program.window.desk.views) == 1


def test_a_card_dropped_on_the_prompt_is_not_written_into_it(program: Program) -> None:
    prompt = next(w for w in program.window.findChildren(QPlainTextEdit) if not w.isReadOnly())
    before = prompt.toPlainText()
    data = mime_of([entry(program, "halo").path])  # type: ignore[attr-defined]
    send(prompt.viewport(), QDropEvent, data)
    assert prompt.toPlainText() == before


# Dropping files


def test_files_from_outside_are_installed_with_one_message(
    program: Program, qtbot: QtBot, tmp_path: Path
) -> None:
    good = write(tmp_path / "drop" / "fresh.safetensors", wan_lora(), fill=3)
    bad = tmp_path / "drop" / "bad.safetensors"
    bad.write_bytes(b"\x80\x02}q\x00.")
    prompt = next(w for w in program.window.findChildren(QPlainTextEdit) if not w.isReadOnly())
    data = files(good, bad)
    assert send(prompt.viewport(), QDragEnterEvent, data).isAccepted(), "not into the prompt"
    with qtbot.waitSignal(program.catalog.install_finished):
        drop(program, data)
    qtbot.waitUntil(lambda: "1 installed, 1 refused" in said(program))
    assert "bad.safetensors" in said(program)
    assert "fresh" in [e.name for e in program.cards.entries]
    assert len(program.mix.strips) == 2


def test_a_file_dropped_on_the_desk_is_installed_and_played(
    program: Program, qtbot: QtBot, tmp_path: Path
) -> None:
    file = write(tmp_path / "drop" / "fresh.safetensors", wan_lora(), fill=3)
    desk = program.window.desk
    with qtbot.waitSignal(program.catalog.install_finished):
        drop(program, files(file), desk.mapTo(program.window, desk.rect().center()))
    assert [s.name for s in program.mix.strips] == ["halo", "giant", "fresh"]
    assert program.mix.strips[-1].path.parent == program.folders.library


def test_a_recipe_opens_and_names_what_is_missing(program: Program, tmp_path: Path) -> None:
    recipe = tmp_path / "r.json"
    loras = [{"file": "halo.safetensors", "high": 0.25, "low": -1}, {"file": "gone.safetensors"}]
    recipe.write_text(json.dumps({"version": 1, "model": "demo", "prompt": "a blue box", "loras": loras}))
    drop(program, files(recipe))
    assert program.run.settings.prompt == "a blue box"
    assert [(s.name, s.high, s.low) for s in program.mix.strips] == [("halo", 0.25, -1.0)]
    assert "gone.safetensors" in said(program)


@pytest.mark.parametrize("text", ["not json", '{"version": 1, "steps": -4}', "", '{"version": 99}'])
def test_a_broken_recipe_changes_nothing(program: Program, tmp_path: Path, text: str) -> None:
    before = program.recipes.recipe()
    recipe = tmp_path / "r.json"
    recipe.write_text(text)
    assert not program.recipes.open(recipe)
    assert program.recipes.recipe() == before
    assert program.window.message_bar.messages[-1].kind == "refused"


def test_a_saved_recipe_opens_again(program: Program, tmp_path: Path) -> None:
    program.mix.set_strength(program.mix.strips[0].id, "low", -0.35)
    program.recipes.save(tmp_path / "r.json")
    before = program.mix.mix.strips
    assert program.recipes.open(tmp_path / "r.json")
    assert [(s.high, s.low) for s in program.mix.mix.strips] == [(s.high, s.low) for s in before]
    assert not list(tmp_path.glob("*.part"))


def test_strengths_for_another_number_of_steps_are_neither_played_nor_written(
    program: Program, open_program: Callable[[Folders], Program], tmp_path: Path
) -> None:
    run, strip, file = program.run, program.mix.strips[0], tmp_path / "recipe.json"
    run.change(replace(run.settings, steps=6))
    program.mix.load([(LoraUse("x", 0.25, 0.75, (0.5,) * 6), strip.path, strip.entry)])

    def words() -> str:
        return " ".join(label.text() for label in program.window.desk.views[0].findChildren(QLabel))

    assert "step by step" in words() and program.recipes.recipe().loras[0].per_step == (0.5,) * 6
    run.change(replace(run.settings, steps=4))
    assert "for 6 steps" in words() and "step by step" not in words()
    program.recipes.save(file)
    (use,) = load(file).loras
    assert (use.high, use.low, use.per_step) == (0.25, 0.75, ())
    run.change(replace(run.settings, steps=6))
    assert "step by step" in words(), "they wait"
    run.change(replace(run.settings, steps=4))
    program.window.close()
    again = open_program(program.folders)
    assert [s.low for s in again.mix.strips] == [0.75] and again.run.settings.steps == 4
    again.window.close()


def test_a_recipe_that_cannot_be_written_is_said(program: Program, tmp_path: Path) -> None:
    program.recipes.save(tmp_path / "no such folder" / "r.json")
    assert "cannot be written" in said(program)


# Keyboard and names

INTERACTIVE = (QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit, QPlainTextEdit)


def interactive(window: QWidget) -> list[QWidget]:
    return [
        w
        for w in window.findChildren(QWidget)
        if (isinstance(w, INTERACTIVE) or w.focusPolicy() & Qt.FocusPolicy.TabFocus)
        and not isinstance(w, QScrollBar)
        and not w.objectName().startswith("qt_")
        and not isinstance(w.parentWidget(), QLineEdit | QAbstractSpinBox | QComboBox)
    ]


def who(widget: QWidget) -> str:
    return f"{type(widget).__name__} {widget.accessibleName()!r} in {type(widget.parentWidget()).__name__}"


def test_every_control_has_a_name_and_a_tool_tip(program: Program) -> None:
    controls = interactive(program.window)
    assert len(controls) > 30
    assert [who(w) for w in controls if not w.accessibleName()] == []
    assert [who(w) for w in controls if not w.toolTip()] == []


def test_tab_reaches_every_control_that_is_shown(program: Program, qtbot: QtBot) -> None:
    window = program.window
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    wanted = {
        w
        for w in interactive(window)
        if w.isVisible() and w.isEnabled() and w.focusPolicy() & Qt.FocusPolicy.TabFocus
    }
    seen: set[QWidget] = set()
    for _ in range(3 * len(wanted)):
        focused = QApplication.focusWidget()
        assert focused is not None
        seen.add(focused)
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    assert [who(w) for w in wanted - seen] == []


def test_no_two_actions_share_a_shortcut(program: Program) -> None:
    keys = [key.toString() for action in program.window.findChildren(QAction) for key in action.shortcuts()]
    assert len(keys) == len(set(keys))
    assert {"Ctrl+Return", "Ctrl+Enter", "Esc", "Ctrl+S", "Ctrl+O", "Ctrl+F", "Ctrl+Z"} <= set(keys)


def test_help_names_every_key_of_the_menus(program: Program) -> None:
    said = {key for _, rows in SHORTCUTS for _, keys in rows for key in keys.split(", ")}
    other_names = {"Ctrl+Return", "Ctrl+Y"}
    actions = program.window.findChildren(QAction)
    assert {key.toString() for action in actions for key in action.shortcuts()} <= said | other_names


def test_escape_cancels_the_run_but_not_from_the_message_bar(
    program: Program, qtbot: QtBot, session: FakeSession
) -> None:
    window = program.window
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    with qtbot.waitSignal(program.run.started):
        QTest.keyClick(window, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    window.message_bar.setFocus()
    window.message_bar.say("look", "A sentence.", "", "details")
    with qtbot.waitSignal(program.bridge.run_cancelled):
        QTest.keyClick(window.desk.views[0], Qt.Key.Key_Escape)


# Closing


def test_closing_mid_run_is_clean(program: Program, qtbot: QtBot) -> None:
    left: list[int] = []
    with qtbot.waitSignal(program.run.started):
        program.run.generate()
    assert program.window.close()
    assert program.exit_code(0, left.append) == 0 and left == []
    assert program.bridge.stop(0) and program.catalog.stop(0)


def test_an_engine_that_does_not_return_is_left_behind_when_all_is_saved(
    program: Program, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    left: list[int] = []
    monkeypatch.setattr(program.bridge, "stop", lambda seconds: False)
    program.window.close()
    monkeypatch.undo()
    assert all((program.folders.state / name).is_file() for name in ("settings.ini", "last session.json"))
    assert "still at work" in caplog.text
    assert program.exit_code(0, left.append) == CUT_OFF != 0 and left == [CUT_OFF]
    assert program.bridge.stop(60)


def test_sizes_are_remembered(
    program: Program, open_program: Callable[[Folders], Program], folders: Folders
) -> None:
    splitter = program.window.findChild(QSplitter)
    assert splitter is not None
    splitter.setSizes([300, splitter.width() - 300 - 350, 350])
    before = splitter.sizes()
    program.window.close()
    again = open_program(folders)
    splitter = again.window.findChild(QSplitter)
    assert splitter is not None and splitter.sizes() == before
    again.window.close()


def test_a_broken_settings_file_means_defaults(
    open_program: Callable[[Folders], Program], folders: Folders
) -> None:
    folders.state.mkdir(parents=True)
    (folders.state / "settings.ini").write_bytes(b"\x00\xff[[[theme=]]\nwindow\\geometry=@ByteArray(zz")
    program = open_program(folders)
    assert program.settings.theme == "system" and program.folders.library == folders.library
    program.window.close()


@pytest.mark.parametrize("size", [(1100, 680), (1280, 720), (1600, 1000)])
def test_nothing_sticks_out_at_any_size(program: Program, size: tuple[int, int]) -> None:
    program.window.resize(*size)
    QApplication.processEvents()
    window = program.window
    assert (window.width(), window.height()) == size
    for panel in (window.browser, window.stage, window.desk, window.top_bar):
        assert window.rect().contains(
            panel.geometry().translated(panel.parentWidget().mapTo(window, QPoint()))
        )
    for view in window.desk.views:
        assert view.width() <= window.desk.width()
        assert all(f.geometry().right() <= view.width() for f in view.findChildren(Fader))


def test_every_message_of_the_engine_reaches_the_bar(program: Program) -> None:
    program.run.message.emit("refused", "It failed.", "Try again.", "why")
    program.catalog.failed.emit(type("Failure", (), {"title": "No.", "advice": "", "details": ""})())
    QApplication.processEvents()
    assert "It failed." in said(program) and "No." in said(program)


def test_the_recipe_of_the_window_can_be_written(program: Program) -> None:
    recipe = program.recipes.recipe()
    assert isinstance(recipe, Recipe) and len(recipe.loras) == 2
    assert "halo" in dumps(recipe)


def test_strips_have_room_for_their_fader_after_a_model_of_one_expert(qtbot: QtBot, program: Program) -> None:
    assert program.mix.model is not None
    one = replace(program.mix.model, experts=("high",), boundary=None)
    program.bridge.model_loaded.emit(ModelLoaded(one, 0.1))
    views = program.window.findChildren(StripView)
    qtbot.waitUntil(lambda: all(len(visible_faders(view)) == 1 for view in views))
    for view in views:
        (fader,) = visible_faders(view)
        assert view.rect().contains(fader.geometry())


def visible_faders(view: StripView) -> list[Fader]:
    return [fader for fader in view.findChildren(Fader) if fader.isVisible()]
