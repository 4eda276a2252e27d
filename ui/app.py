"""The only composition root: makes the objects, shows the window, then starts what takes time."""

import faulthandler
import logging
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

import resources
from catalog.bridge import CatalogBridge
from catalog.folders import Folders, default_folders
from catalog.log import log_to
from catalog.recipe import Recipe
from engine.bridge import EngineBridge
from engine.file_gauges.bridge import FileGaugeBridge
from engine.worker import Recording, Session
from ui import first_start
from ui.accelerate.button import AccelerateButton
from ui.browser.cards import CardModel
from ui.device_switch import DeviceSwitch
from ui.faults import FaultWatch
from ui.grid.opener import GridOpener
from ui.inputs.reader import PictureReader
from ui.main_window import MainWindow
from ui.settings import Device, Settings
from ui.signals import TerminalSignals
from ui.state.accelerator import AcceleratorState
from ui.state.audition import Audition
from ui.state.automation import Automation
from ui.state.hearing import Hearing
from ui.state.inputs import InputState
from ui.state.live import Live
from ui.state.lora_names import LoraNames
from ui.state.memory import MemoryState
from ui.state.mix import MixState
from ui.state.recipe_desk import RecipeDesk
from ui.state.run import RunState
from ui.state.states import States
from ui.theme import dress, watcher

OpenSession = Callable[[Device], Session]
PATIENCE = 10.0
"""Seconds that closing waits for the engine to leave its kernel."""
CUT_OFF = 3
"""The exit code where it did not."""
Leave = Callable[[int], object]


def main(argv: Sequence[str], leave: Leave = os._exit) -> int:
    """Open the window and stay until it is closed; returns the exit code, or ends the process by `leave`."""
    application = QApplication(list(argv))
    application.setApplicationName("LoRA Alchemy")
    application.setDesktopFileName("lora-alchemy")
    application.setWindowIcon(QIcon(str(resources.path("icons") / "app.svg")))
    folders = default_folders()
    log_to(folders.state)
    if sys.stderr is not None:
        faulthandler.enable()
    program = Program(folders, open_session)
    program.faults.install()
    terminal = TerminalSignals(program.window.close, application)
    program.show()
    code = application.exec()
    terminal.deleteLater()
    return program.exit_code(code, leave)


def open_session(device: Device) -> Session:
    """Runs on the engine thread: this import is the one that brings torch in."""
    from engine.inference import session

    return session.open_session(device)


class Program(QObject):
    """The object graph behind one window."""

    def __init__(self, folders: Folders, open_session: OpenSession) -> None:
        super().__init__()
        self.settings = Settings(folders)
        self.folders = replace(folders, library=self.settings.library, outputs=self.settings.outputs)
        watcher().choose(self.settings.theme)
        dress(QApplication.instance())  # type: ignore[arg-type]
        self.faults = FaultWatch(self)
        self.bridge = EngineBridge(
            partial(open_session, self.settings.device), self._record, self, self.folders.runs
        )
        self.catalog = CatalogBridge(self.folders, self)
        self.run = RunState(self.bridge, self)
        self.mix = MixState(self.bridge, self)
        self.memory = MemoryState(self.bridge, self)
        self.live = Live(self.run, self.mix, self)
        self.names = LoraNames(self.mix, self)
        self.hearing = Hearing(self.bridge, self.mix, self)
        self.automation = Automation(self.bridge, self.run, self.mix, self)
        self.audition = Audition(self.bridge, self.run, self.mix, self)
        self.cards = CardModel(self)
        self.pictures = PictureReader(self.folders.state / "pictures", self)
        self.inputs = InputState(self.run, self.pictures, self.mix.undo, self)
        self.recipes = RecipeDesk(self.run, self.mix, self.cards, self.folders, self)
        self.recipes.laid.connect(self.inputs.record)
        states = States(
            self.run,
            self.mix,
            self.live,
            self.names,
            self.hearing,
            self.automation,
            self.audition,
            self.cards,
            self.recipes,
            self.catalog,
            self.settings,
            self.inputs,
            self.memory,
        )
        self.run.recent_models = self.settings.recent_models
        self.run.changed.connect(self._keep_recent_models)
        self.live.set_on(self.settings.is_live)
        self.window = MainWindow(states, self.stop)
        self._open_rooms()
        self.faults.message.connect(self.window.message_bar.say)
        self.device = DeviceSwitch(
            open_session, self.bridge, self.run, self.settings, self.window.message_bar
        )
        self.window.settings_changed.connect(self.use_settings)
        self.use_settings()
        self._is_started = self._is_laid_out = False
        self._has_ended = True

    def _open_rooms(self) -> None:
        """What the window offers beside its three panels."""
        self.grid = GridOpener(
            self.bridge, self.run, self.mix, self.audition, lambda: self.settings.outputs, self.window
        )
        self.window.offer_grid(self.grid.open)
        self.file_gauges = FileGaugeBridge(self)
        self.window.browser.sizes_wanted.connect(self.file_gauges.measure)
        self.file_gauges.measured.connect(self.window.browser.show_sizes)
        self.file_gauges.measured.connect(self.window.coverage.show_sizes)
        self.accelerator = AcceleratorState(self.run, self.mix, self.cards, self)
        self.accelerator.message.connect(self.window.message_bar.say)
        self.window.desk.add_to_header(AccelerateButton(self.accelerator, self.run))

    def use_settings(self) -> None:
        """Let everything be as the settings say now."""
        self.run.allow_memory(self.settings.memory)
        self.memory.choose(self.settings.memory_mode)
        self.run.compute_with(self.settings.computing)
        self.device.follow()
        if self.settings.library != self.folders.library:
            self._use_library(self.settings.library)

    def _use_library(self, folder: Path) -> None:
        say = self.window.message_bar.say
        if folder.exists() and not folder.is_dir():
            self.settings.library = self.folders.library
            self.settings.save()
            say("refused", f"“{folder.name}” is no folder.", "The library stays where it was.", str(folder))
            return
        self.folders = replace(self.folders, library=folder)
        self.recipes.look_in(self.folders)
        self.catalog.use_library(folder)
        self.window.watch_library(folder)
        if not folder.exists():
            say("info", f"The folder {folder} is not there yet.", "The first file that you drop makes it.")

    def show(self) -> None:
        """Show the window; the slow things begin when it has been painted."""
        self._painted = FirstPaint(self.window)
        self._painted.happened.connect(self.start)
        self.window.show()

    def start(self) -> None:
        """Look through the library and start the engine with the demo model."""
        if self._is_started:
            return
        self._is_started = True
        self.run.await_desk()
        self.catalog.scan_finished.connect(self._lay_out)
        self.catalog.failed.connect(self.run.desk_came)
        if self.settings.is_first_start:
            self.window.message_bar.say("info", first_start.SENTENCE, first_start.ADVICE)
            self.run.started.connect(self._end_welcome)
            self.run.changed.connect(self._end_welcome_of_demo)
        self.catalog.scan()
        self.bridge.start()
        self.run.open_model("demo")

    def stop(self) -> None:
        """Save what is to be saved and end the threads; a kernel that does not return in time is left behind."""
        if self._is_laid_out:
            self.recipes.keep(self._last_session, self.accelerator.before())
        self.device.stop()
        self.grid.stop()
        self._has_ended = self.bridge.stop(PATIENCE)
        self.catalog.stop(PATIENCE)
        self.pictures.stop(PATIENCE)
        self.file_gauges.stop(PATIENCE)
        if not self._has_ended:
            words = "the engine was still at work %.0f seconds after the window closed, and is cut off"
            logging.getLogger(__name__).warning(words, PATIENCE)

    def exit_code(self, code: int, leave: Leave) -> int:
        """The process's exit code. Beside a kernel that does not return Python cannot end in order, so `leave`
        ends it at once, with `CUT_OFF`; all is saved by then but the step under way.
        """
        if not self._has_ended:
            logging.shutdown()
            leave(CUT_OFF)
        return code if self._has_ended else CUT_OFF

    def _lay_out(self) -> None:
        """The library is known: fill the desk, unless the user was quicker."""
        self.catalog.scan_finished.disconnect(self._lay_out)
        self._is_laid_out = True
        if not self.mix.strips and self.settings.is_first_start:
            first_start.lay_out(self.cards, self.mix)
        elif not self.mix.strips:
            self.recipes.bring_back(self._last_session, self.accelerator.recall)
        self.settings.is_first_start = False  # only now: whoever closes earlier is still a newcomer
        self.live.open()
        self.run.desk_came()
        self.window.unfinished.offer()

    def _keep_recent_models(self) -> None:
        if self.settings.recent_models != self.run.recent_models:
            self.settings.recent_models = self.run.recent_models
            self.settings.save()

    def _end_welcome_of_demo(self) -> None:
        if self.run.model_name != "demo":
            self._end_welcome()

    def _end_welcome(self) -> None:
        self.run.started.disconnect(self._end_welcome)
        self.run.changed.disconnect(self._end_welcome_of_demo)
        self.window.message_bar.withdraw(first_start.SENTENCE)

    @property
    def _last_session(self) -> Path:
        return self.folders.state / "last session.json"

    def _record(self, recipe: Recipe, shape: tuple[int, int, int]) -> Recording:
        """Runs on the engine thread, when a clip begins to be decoded."""
        from engine.recording import Recording
        from engine.video import file_stem

        return Recording(self.settings.outputs / f"{file_stem(recipe)}.mp4", recipe, shape)


class FirstPaint(QObject):
    """Says once that a widget has been painted, after the event loop has had a breath."""

    happened = Signal()

    def __init__(self, widget: QObject) -> None:
        super().__init__(widget)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            watched.removeEventFilter(self)
            QTimer.singleShot(0, self, self.happened.emit)
        return False
