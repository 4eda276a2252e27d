"""A lane of the first of two strips, on the demo model, before any run."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from engine.bridge import EngineBridge
from tests.qt.lane.bench import Bench
from ui.desk.lane import Lane
from ui.state.automation import Automation
from ui.state.mix import MixState
from ui.state.run import RunState


@pytest.fixture
def bench(qtbot: QtBot, mix: MixState, bridge: EngineBridge) -> Bench:
    run = RunState(bridge)
    automation = Automation(bridge, run, mix)
    with qtbot.waitSignals([bridge.adapter_attached] * 2):
        ids = mix.add(Path("/loras/a.safetensors")), mix.add(Path("/loras/b.safetensors"))
    mix.undo.clear()
    lane = Lane(ids[0], mix, automation)
    mix.strip_changed.connect(lambda _: lane.refresh())
    automation.stepped.connect(lane.refresh)
    qtbot.addWidget(lane)
    lane.resize(480, 116)
    lane.show()
    lane.activateWindow()
    lane.setFocus()
    return Bench(lane, mix, automation, run, ids)
