"""Arranges the panels, menus and shortcuts; what they do is in the states."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QEvent, QStandardPaths, Qt, Signal
from PySide6.QtGui import QAction, QCloseEvent, QKeySequence
from PySide6.QtWidgets import QFileDialog, QMainWindow, QMenu, QMessageBox, QSplitter, QVBoxLayout, QWidget

from ui.browser.install_words import report_words
from ui.browser.panel import BrowserPanel
from ui.coverage.opener import CoverageOpener
from ui.desk.desk import DeskPanel
from ui.dropping import Dropping
from ui.help import ABOUT
from ui.library_watch import LibraryWatch
from ui.message_bar import MessageBar
from ui.models.opener import NewModelOpener
from ui.run_menu import RunMenu
from ui.shelf.opener import ShelfOpener
from ui.stage.panel import StagePanel
from ui.top_bar import TopBar
from ui.unfinished import UnfinishedRuns

if TYPE_CHECKING:
    from catalog.install import InstallReport
    from catalog.library import Entry
    from ui.state.states import States
    from ui.state.take import Take

RECIPE_FILTER = "Recipes and clips (*.json *.mp4 *.webm)"


class MainWindow(QMainWindow):
    """The one window. `stop` ends the threads when it closes; `settings_changed` says that they were edited."""

    settings_changed = Signal()

    def __init__(self, states: States, stop: Callable[[], None]) -> None:
        super().__init__()
        self._states, self._stop = states, stop
        self._is_look_asked = False
        self._install_from = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DownloadLocation)
        self.setWindowTitle("LoRA Alchemy")
        self.setMinimumSize(1100, 680)
        screen = self.screen().availableSize()
        self.resize(min(1600, screen.width()), min(1000, screen.height()))
        self.top_bar = TopBar(states.run, states.live, states.memory)
        self.message_bar = MessageBar()
        self.browser = BrowserPanel(states.cards)
        self.stage = StagePanel(states.run, states.names)
        self.desk = DeskPanel(states.mix, states.hearing, states.automation, states.cards.entry_of)
        self.unfinished = UnfinishedRuns(states.run, states.recipes, self.message_bar, self)
        self.stage.compare_with(states.audition)
        self.top_bar.cancel.cover(states.audition)
        self.stage.take_inputs(states.inputs)
        self.new_model = NewModelOpener(states.run, self.message_bar, self)
        self.shelf = ShelfOpener(states.run, self.new_model, self.message_bar, states.settings, self)
        self._library = LibraryWatch(states.settings.library)
        self._arrange()
        self._build_menus()
        self.coverage = CoverageOpener(states.catalog, self)
        self._dropping = Dropping(self, states, self.desk, self.stage, self.message_bar)
        self._connect()
        self._restore()
        self.top_bar.generate.setFocus()

    def _arrange(self) -> None:
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.setHandleWidth(1)
        self._splitter.setChildrenCollapsible(False)
        for panel, least, most in (
            (self.browser, 280, 420),
            (self.stage, 360, 16_777_215),
            (self.desk, 300, 440),
        ):
            panel.setMinimumWidth(least)
            panel.setMaximumWidth(most)
            self._splitter.addWidget(panel)
        self._splitter.setStretchFactor(1, 1)
        left, right = (320 if self.width() >= 1400 else 280), max(300, min(392, self.width() // 4))
        self._splitter.setSizes([left, self.width() - left - right, right])
        middle = QWidget()
        box = QVBoxLayout(middle)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self.top_bar)
        box.addWidget(self.message_bar)
        box.addWidget(self._splitter, 1)
        self.setCentralWidget(middle)

    def _build_menus(self) -> None:
        bar, own = self.menuBar(), self._states
        file = bar.addMenu("&File")
        self._add(file, "&Open recipe or clip…", self.open_recipe, "Ctrl+O")
        self._add(file, "Save &recipe…", self.save_recipe, "Ctrl+Shift+S")
        self._add(file, "&Export clip…", self.stage.export_clip, "Ctrl+S")
        file.addSeparator()
        self._add(file, "&Install files…", self.install_files, "Ctrl+I")
        self._add(file, "&Look through the library again", self.look_again, "F5")
        file.addSeparator()
        self._add(file, "&Settings…", self.open_settings, "Ctrl+,")
        self._add(file, "&Quit", self.close, "Ctrl+Q")
        edit, stack = bar.addMenu("&Edit"), own.mix.undo
        undo, redo = stack.createUndoAction(self, "Undo"), stack.createRedoAction(self, "Redo")
        undo.setShortcut(QKeySequence.StandardKey.Undo)
        redo.setShortcuts([QKeySequence("Ctrl+Shift+Z"), QKeySequence("Ctrl+Y")])
        edit.addActions([undo, redo])
        edit.addSeparator()
        self._add(edit, "&Find LoRAs", self.find_loras, "Ctrl+F")
        self.run_menu = RunMenu(own.run, own.live, self.stage, self.unfinished, bar)
        bar.addMenu(self.run_menu)
        help_menu = bar.addMenu("&Help")
        self._add(help_menu, "&Shortcuts", self.show_shortcuts, "F1")
        self._add(help_menu, "&About LoRA Alchemy", lambda: self._tell("About LoRA Alchemy", ABOUT))

    def offer_grid(self, open_grid: Callable[[], object]) -> None:
        """Let the desk's menu and the Run menu open the grid."""
        self.desk.grid_asked.connect(open_grid)
        self.run_menu.addSeparator()
        self._add(self.run_menu, "&Grid of strengths…", open_grid, "Ctrl+G")

    def _add(self, menu: QMenu, text: str, do: Callable[[], object], *keys: str) -> QAction:
        action = QAction(text, self)
        action.setShortcuts([QKeySequence(key) for key in keys])
        action.triggered.connect(lambda _checked=False: do())
        menu.addAction(action)
        return action

    def _connect(self) -> None:
        own, say = self._states, self.message_bar.say
        for source in (
            own.run,
            own.recipes,
            own.automation,
            own.audition,
            own.inputs,
            own.memory,
            self.browser,
        ):
            source.message.connect(say)
        self.top_bar.settings_requested.connect(self.open_settings)
        self.browser.chosen.connect(self._add_to_desk)
        self.browser.coverage_wanted.connect(self._explain)
        self.browser.view.lacking.connect(own.catalog.cover_first)
        self.desk.coverage_asked.connect(self._explain_strip)
        self.desk.audition_asked.connect(own.audition.begin)
        own.audition.judged.connect(self._show_verdict)
        self.browser.trashed.connect(own.cards.lose)
        own.catalog.found.connect(self._on_found)
        own.catalog.lost.connect(own.cards.lose)
        own.catalog.scan_finished.connect(self._on_looked)
        own.catalog.covered.connect(own.cards.take_coverage)
        own.catalog.install_progress.connect(self.browser.show_progress)
        own.catalog.install_finished.connect(lambda _: self.browser.show_progress(0, 0))
        own.catalog.install_finished.connect(self.new_model.sort_out)
        self.new_model.installed.connect(self._say_installed)
        self.top_bar.chooser.new_wanted.connect(self.new_model.open)
        self.top_bar.chooser.removal_wanted.connect(self.remove_model)
        self.top_bar.chooser.shelf_wanted.connect(self.shelf.open)
        self.shelf.percent_changed.connect(self.top_bar.chooser.show_download)
        own.catalog.failed.connect(self._on_catalog_failed)
        own.run.changed.connect(self._follow_model)
        self.stage.take_row.continue_requested.connect(self.unfinished.resume)
        self.stage.take_row.keep_requested.connect(self._keep)
        self.stage.take_row.recall_requested.connect(self._recall)
        own.live.changed.connect(self._remember_live)
        self._follow_model()

    # Following

    def _follow_model(self) -> None:
        self.browser.set_model(self._states.run.model)
        self._states.catalog.choose_model(self._states.run.model)

    def _remember_live(self) -> None:
        self._states.settings.is_live = self._states.live.is_on
        self._states.settings.save()

    def _on_found(self, entries: tuple[Entry, ...]) -> None:
        self._states.cards.take(entries)
        self._states.mix.know(entries)

    def _say_installed(self, report: InstallReport) -> None:
        self.message_bar.say(*report_words(report))

    def _on_catalog_failed(self, failed: object) -> None:
        title, advice, details = (str(getattr(failed, name, "")) for name in ("title", "advice", "details"))
        self.message_bar.say("refused", title, advice, details)

    # Doing

    def _add_to_desk(self, entry: Entry) -> None:
        self._states.mix.add(entry.path, entry)

    def _explain(self, entry: Entry) -> None:
        self.coverage.open_file(entry.name, entry.path, self._states.run.model)

    def _explain_strip(self, id: str) -> None:
        own = self._states
        if strip := own.mix.strip(id):
            self.coverage.open_strip(strip, own.mix.attachment(id), own.mix.model or own.run.model)

    def _show_verdict(self, id: str) -> None:
        self.desk.show_verdict(id, self._states.audition.verdict(id))

    def _keep(self, draft: Take) -> None:
        self._states.run.keep(draft, self._states.settings.outputs)

    def _recall(self, take: Take) -> None:
        self._states.recipes.show(take.recipe)

    def watch_library(self, folder: Path) -> None:
        """Follow another folder from now on, and look through it; the answer says so where there is one."""
        self._library = LibraryWatch(folder)
        self._is_look_asked = folder.is_dir()
        self._states.catalog.scan()

    def look_again(self) -> None:
        """Look through the library, and say when that is done."""
        self._is_look_asked = True
        self._states.catalog.scan()

    def _on_looked(self, files: int) -> None:
        if self._is_look_asked:
            self._is_look_asked = False
            self.message_bar.say("info", f"The library was looked through: {files} LoRA files.")

    def remove_model(self, name: str, title: str) -> None:
        """Take a model off the chooser's list."""
        from ui.models.removal import ModelRemoval

        ModelRemoval(self._states.run, self.message_bar).remove(name, title)

    def find_loras(self) -> None:
        """Go to the search box."""
        self.browser.search.setFocus()
        self.browser.search.selectAll()

    def open_recipe(self) -> None:
        """Ask for a recipe or a clip and open it."""
        start = str(self._states.settings.outputs)
        name, _ = QFileDialog.getOpenFileName(self, "Open recipe or clip", start, RECIPE_FILTER)
        if name:
            self._states.recipes.open(Path(name))

    def save_recipe(self) -> None:
        """Ask for a file and write the recipe there."""
        start = str(self._states.settings.outputs / "recipe.json")
        name, _ = QFileDialog.getSaveFileName(self, "Save recipe", start, "Recipe (*.json)")
        if name:
            path = Path(name)
            self._states.recipes.save(path if path.suffix else path.with_suffix(".json"))

    def install_files(self) -> None:
        """Ask for LoRA files and install them."""
        names, _ = QFileDialog.getOpenFileNames(
            self, "Install LoRA files", self._install_from, "LoRA files (*.safetensors *.sft)"
        )
        if names:
            self._install_from = str(Path(names[0]).parent)
            self._states.catalog.install([Path(name) for name in names])

    def open_settings(self) -> None:
        """Show the settings."""
        from ui.settings_dialog import SettingsDialog

        if SettingsDialog(self._states.settings, self, self._states.run.cannot).exec():
            self.settings_changed.emit()

    def show_shortcuts(self) -> None:
        """All keys, in a window of their own."""
        from ui.shortcuts_dialog import ShortcutsDialog

        ShortcutsDialog(self).open()

    def _tell(self, title: str, text: str) -> None:
        box = QMessageBox(QMessageBox.Icon.NoIcon, title, text, QMessageBox.StandardButton.Close, self)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    # Coming and going

    def _restore(self) -> None:
        settings = self._states.settings
        if not settings.geometry.isEmpty():
            self.restoreGeometry(settings.geometry)
        if not settings.splitter.isEmpty():
            self._splitter.restoreState(settings.splitter)

    def remember(self) -> None:
        """Keep sizes for the next start."""
        settings = self._states.settings
        settings.geometry = QByteArray(self.saveGeometry())
        settings.splitter = QByteArray(self._splitter.saveState())
        settings.save()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        is_back = event.type() == QEvent.Type.ActivationChange and self.isActiveWindow()
        if is_back and self._library.has_changed():
            self._states.catalog.scan()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.remember()
        self.hide()
        self.new_model.stop()
        self.shelf.stop()
        self._stop()
        event.accept()
