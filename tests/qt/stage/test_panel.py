"""The stage as a whole: room for the picture, export, and a name for every control."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QFileDialog,
    QLineEdit,
    QPlainTextEdit,
    QScrollBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from tests.fakes import FakeSession
from tests.qt.stage.conftest import Recorder, Said, clip_of, finish
from ui.stage.panel import StagePanel, suggested_name
from ui.stage.player import Player
from ui.stage.timeline import Timeline
from ui.state.live import Live
from ui.state.mix import MixState
from ui.state.run import RunState
from ui.top_bar import TopBar

CONTROLS = (QAbstractButton, QAbstractSlider, QAbstractSpinBox, QPlainTextEdit, Player, Timeline)


def controls(root: QWidget) -> list[QWidget]:
    """What one can operate; a box's own line and a scroll bar belong to their control."""
    found = (each for each in root.findChildren(QWidget) if isinstance(each, CONTROLS))
    return [each for each in found if not isinstance(each, QScrollBar | QLineEdit)]


def test_every_control_has_a_name_and_a_tool_tip(stage: StagePanel, run: RunState, qtbot: QtBot) -> None:
    bar = TopBar(run, Live(run, MixState(run.bridge)))  # type: ignore[attr-defined]
    qtbot.addWidget(bar)
    for pill in stage.settings_row.pills:
        pill.open()
    for control in (*controls(stage), *controls(bar)):
        assert control.accessibleName(), control
        assert control.toolTip(), control.accessibleName()


@pytest.mark.parametrize(("width", "height", "least"), [(700, 530, 260), (1000, 900, 600)])
def test_the_picture_takes_the_space(stage: StagePanel, width: int, height: int, least: int) -> None:
    stage.resize(width, height)
    assert stage.player.height() >= least


def test_it_fits_between_the_other_panels_of_the_smallest_window(
    qtbot: QtBot, run: RunState, stage: StagePanel, session: FakeSession
) -> None:
    assert stage.minimumSizeHint().width() <= 520
    finish(qtbot, run, session)
    assert stage.minimumSizeHint().width() <= 520
    stage.showing.pin(0)
    assert stage.minimumSizeHint().width() <= 520


def answer(monkeypatch: pytest.MonkeyPatch, file: Path | str, chosen: str = "") -> list[str]:
    """Let the file dialog answer; the list gets what was suggested."""
    suggested: list[str] = []

    def ask(_parent: object, _title: str, start: str, _filters: str) -> tuple[str, str]:
        suggested.append(start)
        return str(file), chosen

    monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)
    return suggested


def test_export_writes_the_clip(
    qtbot: QtBot, run: RunState, stage: StagePanel, session: FakeSession, said: Said,
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:  # fmt: skip
    finish(qtbot, run, session)
    suggested = answer(monkeypatch, tmp_path / "clip.gif")
    with qtbot.waitSignal(run.bridge.exported):  # type: ignore[attr-defined]
        stage.export_clip()
    assert suggested[0].endswith("a red ball 7.mp4")
    assert (tmp_path / "clip.gif").stat().st_size > 100
    assert said.last[:2] == ("info", "Exported as clip.gif.")


def test_a_missing_ending_is_that_of_the_filter_and_never_overwrites(
    qtbot: QtBot, run: RunState, stage: StagePanel, session: FakeSession, said: Said,
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:  # fmt: skip
    finish(qtbot, run, session)
    sent: list[Path] = []
    monkeypatch.setattr(run, "export", lambda file, _take: sent.append(file))
    answer(monkeypatch, tmp_path / "clip 1.5", "WebM video (*.webm)")
    stage.export_clip()
    assert sent == [tmp_path / "clip 1.5.webm"]
    (tmp_path / "clip 1.5.webm").write_text("precious")
    stage.export_clip()
    assert len(sent) == 1 and said.last[:2] == ("refused", "clip 1.5.webm is already there.")


def test_a_dialog_that_was_left_exports_nothing(
    qtbot: QtBot, run: RunState, stage: StagePanel, session: FakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(qtbot, run, session)
    sent: list[Path] = []
    monkeypatch.setattr(run, "export", lambda file, _take: sent.append(file))
    answer(monkeypatch, "")
    stage.export_clip()
    assert sent == []


def test_export_without_a_clip_says_so(stage: StagePanel, said: Said) -> None:
    stage.export_clip()
    assert said.last[:2] == ("info", "There is no finished clip to export yet.")


def test_an_unsaved_clip_is_named_after_its_prompt(
    qtbot: QtBot, run: RunState, session: FakeSession, recorder: Recorder
) -> None:
    recorder.is_full = True
    finish(qtbot, run, session)
    seed = run.settings.seed
    assert suggested_name(clip_of(run)) == f"a-red-ball-moving-right-at-night-{seed}.mp4"
