"""The bar at the top: model, engine, and the buttons that start and stop a run."""

from PySide6.QtCore import QRectF, QSize, Signal
from PySide6.QtGui import QColor, QKeySequence, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from ui.cancel_button import CancelButton
from ui.live_button import LiveButton
from ui.memory_bar import MemoryBar
from ui.model_chooser import ModelChooser
from ui.stage.icon_button import IconButton
from ui.state.live import Live
from ui.state.memory import MemoryState
from ui.state.run import RunState
from ui.theme import font, theme, watcher

_LINE = 2
_GENERATE, _QUEUE = "Generate", "Queue another"


class TopBar(QFrame):
    """Model chooser, engine state, Live, Generate, Cancel and settings, and a thin line of progress."""

    settings_requested = Signal()

    def __init__(
        self,
        run_state: RunState,
        live: Live,
        memory: MemoryState | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._run_state = run_state
        self.setProperty("ground", "panel")
        self.setFixedHeight(48)
        self.chooser = ModelChooser(run_state)
        self.engine = QLabel()
        self.memory = MemoryBar(memory) if memory else QWidget()
        self.live = LiveButton(live)
        self.generate = QPushButton()
        self.cancel = CancelButton(run_state)
        self.settings = IconButton("settings", "Settings", "Settings")
        self._dress()
        self._arrange()
        self.generate.clicked.connect(run_state.generate)
        self.settings.clicked.connect(self.settings_requested)
        run_state.state_changed.connect(self._refresh)
        run_state.step_finished.connect(self.update)
        watcher().changed.connect(self.update)
        self._refresh()

    @property
    def fraction(self) -> float:
        """How much of the run is done, 0…1; drafts come and go without it."""
        run, progress = self._run_state, self._run_state.progress
        if run.current_run is None or run.is_drafting or progress is None:
            return 0.0
        return progress.done / progress.steps

    def _dress(self) -> None:
        self.engine.setProperty("tone", "secondary")
        self.engine.setFont(font(12))
        self.engine.setToolTip("What the engine runs on")
        self.generate.setProperty("primary", True)
        self.settings.setIconSize(QSize(18, 18))

    def _arrange(self) -> None:
        name = QLabel("LoRA Alchemy")
        name.setFont(font(15, is_bold=True))
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 12, 0)
        row.setSpacing(8)
        row.addWidget(name)
        row.addSpacing(8)
        row.addWidget(self.chooser)
        row.addSpacing(8)
        row.addWidget(self.engine)
        row.addWidget(self.memory)
        row.addStretch(1)
        row.addWidget(self.live)
        row.addWidget(self.generate)
        row.addWidget(self.cancel)
        row.addWidget(self.settings)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        words = self.generate.text()
        self.generate.setText(_label(_QUEUE))
        self.generate.setMinimumWidth(self.generate.sizeHint().width())  # it must not jump
        self.generate.setText(words)

    def _refresh(self) -> None:
        run = self._run_state
        is_taken = run.phase in ("running", "queued") and not run.is_drafting  # a draft makes way
        words = _QUEUE if is_taken else _GENERATE
        self.generate.setText(_label(words))
        self.generate.setAccessibleName(words)
        what = "Queue another clip behind the one under way" if is_taken else "Render a clip"
        self.generate.setToolTip(f"{what} ({_key()})")
        self.engine.setText(" · ".join(filter(None, (run.engine_text, run.queue_text))))
        self.engine.setAccessibleName(f"Engine: {self.engine.text()}")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        bottom = self.height() - 1
        painter.fillRect(0, bottom, self.width(), 1, QColor(theme().line))
        done = QRectF(0, self.height() - _LINE, self.width() * self.fraction, _LINE)
        painter.fillRect(done, QColor(theme().accent))
        painter.end()


def _key() -> str:
    return QKeySequence("Ctrl+Enter").toString(QKeySequence.SequenceFormat.NativeText)


def _label(words: str) -> str:
    return f"{words}   {_key()}"
