"""A file's own size, measured on demand: in the details, and in the list of what applies."""

import threading
from pathlib import Path

import pytest
from PySide6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot

from engine.errors import AdapterRefused
from engine.file_gauges.bridge import FileGaugeBridge
from engine.gauge import Cell, FileGauged, Gauge
from tests.qt.test_coverage import select
from ui.app import Program
from ui.coverage.gauge_words import file_words
from ui.coverage.heat_map import HeatMap

LOUD = Gauge((Cell("blocks.0", "attn1.to_q", 0.8, 6.5, 12.0),), 0.8, 0.12, norm=12.0)
USUAL = Gauge((Cell("blocks.0", "attn1.to_q", 0.1, 6.5, 1.5),), 0.1, norm=1.5, unsized=2)


class Meter:
    """Says what it is told to, when it is let."""

    def __init__(self, *said: Gauge | Exception) -> None:
        self.said, self.asked, self.may = list(said), list[Path](), threading.Event()

    def __call__(self, path: Path) -> Gauge | None:
        assert self.may.wait(60)
        self.asked.append(path)
        said = self.said.pop(0)
        if isinstance(said, Exception):
            raise said
        return said


def button(program: Program) -> QAbstractButton:
    return next(
        b
        for b in program.window.browser.findChildren(QAbstractButton)
        if b.accessibleName() == "Measure the selected LoRA"
    )


def details(program: Program) -> str:
    return program.window.browser._details.text.toPlainText()


def with_meter(program: Program, *said: Gauge | Exception) -> Meter:
    meter = Meter(*said)
    program.file_gauges._open = lambda: meter
    return meter


def test_a_click_measures_and_the_details_tell(program: Program, qtbot: QtBot) -> None:
    meter = with_meter(program, LOUD)
    qtbot.waitUntil(lambda: program.window.browser.view.model().rowCount() > 1)
    select(program, "halo")
    assert "‖ΔW‖" not in details(program)
    button(program).click()
    assert button(program).toolTip() == "Measuring…" and not button(program).isEnabled()
    select(program, "giant")
    assert button(program).toolTip().startswith("Measure how") and button(program).isEnabled()
    meter.may.set()
    with qtbot.waitSignal(program.file_gauges.measured):
        pass
    assert "‖ΔW‖" not in details(program)
    select(program, "halo")
    assert "‖ΔW‖ is 12" in details(program) and "a strength near 0.12 would fit" in details(program)
    assert button(program).isEnabled() and [path.stem for path in meter.asked] == ["halo"]


def test_a_file_that_cannot_be_measured_says_why(program: Program, qtbot: QtBot) -> None:
    with_meter(program, AdapterRefused("It is damaged.")).may.set()
    qtbot.waitUntil(lambda: program.window.browser.view.model().rowCount() > 1)
    select(program, "halo")
    with qtbot.waitSignal(program.file_gauges.measured):
        button(program).click()
    assert "It is damaged." in details(program)


def test_the_list_of_what_applies_gets_the_map(program: Program, qtbot: QtBot) -> None:
    with_meter(program, USUAL).may.set()
    qtbot.waitUntil(lambda: program.window.browser.view.model().rowCount() > 1)
    select(program, "halo")
    program.window.browser._details.coverage_requested.emit()
    window = program.window.coverage.window
    assert window is not None
    qtbot.waitUntil(lambda: "layers" in window.text)
    assert not window.findChildren(HeatMap)
    with qtbot.waitSignal(program.file_gauges.measured):
        button(program).click()
    assert len([m for m in window.findChildren(HeatMap) if not m.isHidden()]) == 1
    assert "‖ΔW‖ 1.5" in window.text
    program.window.browser._details.coverage_requested.emit()
    reopened = program.window.coverage.window
    assert reopened is not None and reopened is not window
    qtbot.waitUntil(lambda: bool(reopened.findChildren(HeatMap)))


@pytest.mark.parametrize(
    ("gauge", "words"),
    [
        (USUAL, "2 layers more depend on the model"),
        (Gauge((), 0.0, norm=0.0, unsized=3), "depends on the model that it plays on (3 layers)"),
        (None, "changes no matrix"),
    ],
)
def test_what_cannot_be_told_is_said(gauge: Gauge | None, words: str) -> None:
    assert words in file_words(FileGauged(Path("a.safetensors"), gauge))


def test_the_thread_ends_and_the_newest_wish_is_next(qtbot: QtBot, tmp_path: Path) -> None:
    meter = Meter(LOUD, LOUD, LOUD)
    bridge = FileGaugeBridge(open_measure=lambda: meter)
    assert bridge.stop(1.0), "nobody has asked for anything"
    wanted = [tmp_path / name for name in ("first", "second", "third")]
    meter.may.clear()
    for path in wanted:
        bridge.measure(path)
    meter.may.set()
    qtbot.waitUntil(lambda: len(meter.asked) == 3)
    assert meter.asked[-1] != wanted[2] and set(meter.asked) == set(wanted)
    assert bridge.stop(60.0)
