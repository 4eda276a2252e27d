"""The bar at the top says what a clip needs and used, and a change of plan is told."""

import pytest
from PySide6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot

from catalog.folders import Folders
from engine.bridge import EngineBridge
from engine.host_memory import Memory
from engine.messages import MemoryPlanned, MemoryUsed
from engine.plan import Phase, Plan
from tests.fakes import FakeSession
from ui.app import Program
from ui.memory_bar import MemoryBar
from ui.settings import Settings
from ui.settings_dialog import SettingsDialog
from ui.state.memory import MemoryState

GIB = 1 << 30


def plan(needs: int, mode: str = "balanced") -> Plan:
    phases = (Phase("encode", GIB, GIB), Phase("denoise high", needs - GIB, GIB), Phase("decode", GIB, GIB))
    return Plan(mode, phases, (("high", 12),), Memory(16 * GIB, 24 * GIB))  # type: ignore[arg-type]


@pytest.fixture
def memory(bridge: EngineBridge) -> MemoryState:
    return MemoryState(bridge)


def test_the_bar_shows_the_newest_plan(qtbot: QtBot, bridge: EngineBridge, memory: MemoryState) -> None:
    bar = MemoryBar(memory)
    qtbot.addWidget(bar)
    assert not bar.isVisibleTo(bar.parentWidget())
    bridge.memory_planned.emit(MemoryPlanned(1, plan(8 * GIB)))
    assert bar.isVisibleTo(None) and bar.accessibleName() == "Memory: 8.0 GiB of 16.0 GiB"
    assert memory.share == 0.5
    tip = bar.toolTip()
    assert "Balanced: about 8.0 GiB" in tip and "12 blocks of the high expert stay" in tip
    bridge.memory_used.emit(MemoryUsed(1, 7 * GIB))
    assert "in use during the last clip: 7.0 GiB at most" in bar.toolTip()
    bar.grab()  # painting neither fails nor warns
    bridge.memory_planned.emit(MemoryPlanned(2, plan(99 * GIB, "low")))
    assert memory.share == 1 and "may not be enough" in bar.toolTip()


def test_a_new_plan_in_the_midst_of_a_clip_is_told(
    qtbot: QtBot, bridge: EngineBridge, memory: MemoryState
) -> None:
    told: list[tuple[str, ...]] = []
    memory.message.connect(lambda *said: told.append(said))
    bridge.memory_planned.emit(MemoryPlanned(1, plan(8 * GIB)))
    assert not told
    bridge.memory_planned.emit(MemoryPlanned(1, plan(4 * GIB, "low"), "Memory ran out."))
    assert [said[:2] for said in told] == [("look", "Memory ran out.")]


def test_the_mode_that_is_chosen_is_asked_for(qtbot: QtBot, program: Program, session: FakeSession) -> None:
    program.memory.choose("low")
    assert program.bridge.memory == "low"


def test_the_dialog_keeps_the_mode(qtbot: QtBot, folders: Folders) -> None:
    dialog = SettingsDialog(Settings(folders))
    qtbot.addWidget(dialog)
    boxes = {box.accessibleName(): box for box in dialog.findChildren(QComboBox)}
    boxes["Memory"].setCurrentIndex(boxes["Memory"].findData("balanced"))
    dialog.accept()
    assert Settings(folders).memory_mode == "balanced"
