"""A stage on a real bridge with the fake session, engine ready and demo model loaded."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.bridge import EngineBridge
from engine.errors import EngineError
from engine.live import LiveControls
from tests.fakes import FakeSession, Recorder
from ui.stage.panel import StagePanel
from ui.state.mix import MixState
from ui.state.run import RunState
from ui.state.take import Take
from ui.theme import dress


def pytest_itemcollected(item: pytest.Item) -> None:
    """The offscreen platform says what it cannot do at every window; that is no fault of the stage."""
    item.add_marker(pytest.mark.qt_log_ignore("This plugin does not support"))


class BreakableSession(FakeSession):
    """A fake session that fails at the next step when `failure` is set."""

    failure: EngineError | None = None

    def _wait(self, live: LiveControls) -> None:
        super()._wait(live)
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure


@dataclass
class Said:
    """The messages of a run state."""

    all: list[tuple[str, str, str, str]] = field(default_factory=list)

    def take(self, *message: str) -> None:
        self.all.append(message)  # type: ignore[arg-type]

    @property
    def last(self) -> tuple[str, str, str, str]:
        return self.all[-1]


@pytest.fixture(scope="session", autouse=True)
def dressed(qapp: QApplication) -> None:
    """The style sheet decides how large controls are."""
    dress(qapp)


@pytest.fixture
def session() -> BreakableSession:
    return BreakableSession()


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def cold_run(
    qtbot: QtBot, session: BreakableSession, recorder: Recorder, tmp_path: Path
) -> Iterator[RunState]:
    """A run state whose engine was not started."""
    bridge = EngineBridge(lambda: session, recorder, None, tmp_path / "runs")
    run = RunState(bridge)
    run.bridge = bridge  # type: ignore[attr-defined]
    yield run
    assert bridge.stop(60) or not bridge._worker._thread.is_alive()


@pytest.fixture
def run(qtbot: QtBot, cold_run: RunState) -> RunState:
    bridge: EngineBridge = cold_run.bridge  # type: ignore[attr-defined]
    with qtbot.waitSignal(bridge.model_loaded):
        bridge.start()
        cold_run.open_model("demo")
    return cold_run


@pytest.fixture
def mix(qtbot: QtBot, run: RunState) -> MixState:
    """A desk with two strips that are attached."""
    bridge: EngineBridge = run.bridge  # type: ignore[attr-defined]
    mix = MixState(bridge)
    with qtbot.waitSignal(bridge.model_loaded):
        bridge.load_model("demo")
    with qtbot.waitSignals([bridge.adapter_attached] * 2):
        mix.add(Path("halo.safetensors"))
        mix.add(Path("giant.safetensors"))
    return mix


@pytest.fixture
def said(run: RunState) -> Said:
    said = Said()
    run.message.connect(said.take)
    return said


@pytest.fixture
def stage(qtbot: QtBot, run: RunState) -> StagePanel:
    panel = StagePanel(run, str.upper)
    qtbot.addWidget(panel)
    panel.resize(900, 800)
    with qtbot.waitExposed(panel):
        panel.show()
    return panel


def finish(qtbot: QtBot, run: RunState, session: FakeSession, steps: int = 6) -> None:
    """Render a clip to its end."""
    run.change(replace(run.settings, steps=steps))
    session.is_free = True
    with qtbot.waitSignal(run.started):
        run.generate()
    qtbot.waitUntil(lambda: run.phase == "idle")
    session.is_free = False


def play(qtbot: QtBot, run: RunState, session: FakeSession, steps: int) -> None:
    """Let some steps of the run under way go; those that it takes over may still be on their way here."""
    for _ in range(steps):
        with qtbot.waitSignal(run.step_finished, check_params_cb=lambda event: not event.is_reused):
            session.steps.put(None)


def clip_of(run: RunState) -> Take:
    """The finished clip on the stage."""
    take = run.takes.current
    assert take is not None and take.frames is not None
    return take
