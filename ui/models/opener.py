"""Opens the dialog for a new model, by itself or for files that somebody took for LoRAs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from catalog.folders import default_folders
from ui.message_bar import Action, MessageBar
from ui.models.bridge import PartsBridge

if TYPE_CHECKING:
    from catalog.install import InstallReport
    from catalog.part_files import PartFile
    from ui.models.dialog import NewModelDialog
    from ui.state.run import RunState

ADVICE = "Put them together with the other parts to a model that can be opened."


class NewModelOpener(QObject):
    """One dialog at a time; the model that it saves is opened at once."""

    installed = Signal(object)
    """InstallReport: what `sort_out` was given, without the files that are parts of a model."""

    def __init__(self, run_state: RunState, bar: MessageBar, parent: QWidget) -> None:
        super().__init__(parent)
        self._run_state, self._bar, self._owner = run_state, bar, parent
        self._bridge = PartsBridge(self)
        self._bridge.sorted_out.connect(self._on_sorted_out)
        self.dialog: NewModelDialog | None = None

    def open(self, paths: Sequence[Path] = ()) -> None:
        """Show the dialog with these files."""
        if self.dialog is None:
            from ui.models.dialog import NewModelDialog  # not before somebody asks: the window starts sooner

            self.dialog = NewModelDialog(self._bridge, default_folders().models, self._owner)
            self.dialog.saved.connect(self._open_saved)
            self.dialog.finished.connect(self._forget)
            self.dialog.open()
        if paths:
            self.dialog.look(paths)

    def sort_out(self, report: InstallReport) -> None:
        """Say by `installed` what became of files, and offer the dialog for the parts of models among them."""
        if report.refused:
            self._bridge.sort_out(report)
        else:
            self.installed.emit(report)

    def stop(self) -> None:
        """End what still looks at files."""
        self._bridge.stop()

    def _on_sorted_out(self, report: InstallReport, parts: tuple[PartFile, ...]) -> None:
        paths = tuple(file.path for file in parts)
        others = tuple(each for each in report.refused if each[0].absolute() not in paths)
        rest = replace(report, refused=others)
        if not parts or rest != type(report)():
            self.installed.emit(rest)
        if parts:
            offer = Action("New model…", "Make a model of these files", lambda: self.open(paths))
            self._bar.say("look", _sentence(parts), ADVICE, _details(parts), (offer,))

    def _open_saved(self, path: Path) -> None:
        self._run_state.open_model(str(path))

    def _forget(self) -> None:
        self.dialog = None


def _sentence(parts: Sequence[PartFile]) -> str:
    if len(parts) == 1:
        return f"“{parts[0].path.name}” is no LoRA but a part of a model: {parts[0].words}."
    return f"{len(parts)} of the files are no LoRAs but parts of a model."


def _details(parts: Sequence[PartFile]) -> str:
    return "\n".join(f"{file.path}: {file.words}" for file in parts)
