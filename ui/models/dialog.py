"""The dialog that makes a model of single files, where they lie."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from catalog.part_files import PartFile
from ui.browser.cards import paths_in
from ui.fitting import fit
from ui.models.bridge import PartsBridge
from ui.models.draft import Draft
from ui.models.part_list import PartList
from ui.models.summary import Summary
from ui.models.words import passed_words
from ui.plain_button import plain_button

FILTER = "Model files (*.safetensors *.sft *.gguf tokenizer.json);;All files (*)"
_WIDTH, _HEIGHT = 820, 640


class NewModelDialog(QDialog):
    """Writes one small description and no more; `saved` says where."""

    saved = Signal(object)
    """Path: the description that was written."""

    def __init__(self, bridge: PartsBridge, folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._looks = self._passed = 0
        self._is_named = False
        self._fault = ""
        self.draft = Draft(folder, self)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("New model")
        self.setAcceptDrops(True)
        self._build()
        self._arrange()
        self._connect()
        fit(self, _WIDTH, _HEIGHT)
        self._refresh()

    def look(self, paths: Sequence[Path]) -> None:
        """Find out what these files are, or what lies in these folders."""
        self._looks += 1
        self._bridge.look(paths)
        self._refresh()

    def done(self, result: int) -> None:
        self._bridge.forget()
        super().done(result)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls() and paths_in(event.mimeData()):
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()

    def dropEvent(self, event: QDropEvent) -> None:
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        self.look(paths_in(event.mimeData()))

    def accept(self) -> None:
        """Save and close; Enter does nothing while the model cannot be saved."""
        if not self.save.isEnabled():
            return
        try:
            path = self.draft.save(self.name.text())
        except FileExistsError:
            self._fault = "A model of that name is saved already: choose another name."
        except OSError as error:
            self._fault = f"The model cannot be saved: {error.strerror}."
        else:
            super().accept()
            self.saved.emit(path)
            return
        self._refresh()

    def _build(self) -> None:
        self.files = plain_button("Add files…", "Choose files of a model; they stay where they are")
        self.folder = plain_button(
            "Add folder…", "Look through a folder: ComfyUI’s, its models, a diffusers model or any other"
        )
        self.list = PartList(self.draft)
        self.summary = Summary(self.draft)
        self.status, self.reason = QLabel(), QLabel()
        for label in (self.status, self.reason):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setProperty("tone", "secondary")
            label.setProperty("px", "12")
        self.reason.setWordWrap(True)
        self.name = QLineEdit()
        self.name.setAccessibleName("Name of the model")
        self.name.setToolTip("How the model is called in the list of models")
        self.name.setMaxLength(120)
        self.save = plain_button("Save and open", "Save the model and open it (Enter)")
        self.save.setProperty("primary", True)
        self.cancel = plain_button("Cancel", "Save nothing (Esc)")

    def _arrange(self) -> None:
        top, naming, bottom = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        for row in (top, naming, bottom):
            row.setSpacing(8)
        label = QLabel("&Name")
        label.setBuddy(self.name)
        for button in (self.files, self.folder):
            top.addWidget(button)
        top.addWidget(self.status, 1)
        naming.addWidget(label)
        naming.addWidget(self.name, 1)
        bottom.addWidget(self.reason, 1)
        for button in (self.cancel, self.save):
            bottom.addWidget(button)
        box = QVBoxLayout(self)
        box.setContentsMargins(24, 20, 24, 16)
        box.setSpacing(12)
        box.addLayout(top)
        box.addWidget(self.list, 1)
        box.addWidget(self.summary)
        box.addLayout(naming)
        box.addLayout(bottom)

    def _connect(self) -> None:
        self.files.clicked.connect(self._ask_files)
        self.folder.clicked.connect(self._ask_folder)
        self.save.clicked.connect(self.accept)
        self.cancel.clicked.connect(self.reject)
        self.save.setDefault(True)
        self.list.chosen.connect(self.draft.choose)
        self.draft.changed.connect(self._refresh)
        self.name.textEdited.connect(self._take_name)
        self._bridge.found.connect(self._on_found)
        self._bridge.finished.connect(self._on_finished)

    def _on_found(self, files: tuple[PartFile, ...]) -> None:
        self.draft.add(files)
        under = (self.summary.model, self.summary.missing, self.summary.confirm)
        order = (self.folder, *self.list.boxes, *under, self.name, self.cancel, self.save)
        for one, next_one in pairwise(order):
            self.setTabOrder(one, next_one)

    def _on_finished(self, passed: int) -> None:
        self._looks -= 1
        self._passed += passed
        self._refresh()

    def _take_name(self) -> None:
        self._is_named = True
        self._fault = ""
        self._refresh()

    def _refresh(self) -> None:
        if not self._is_named:
            self.name.setText(self.draft.name)
        looking = "Looking at files…" if self._looks else ""
        self.status.setText(looking or passed_words(self._passed))
        problem = looking or self.draft.problem or self.draft.name_problem(self.name.text()) or self._fault
        self.save.setEnabled(not problem)
        self.reason.setText(problem)
        self.save.setToolTip(problem or "Save the model and open it (Enter)")
        self.save.setAccessibleDescription(problem)

    def _ask_files(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(self, "Add files of a model", "", FILTER)
        if names:
            self.look([Path(name) for name in names])

    def _ask_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Add a folder with files of a model")
        if name:
            self.look([Path(name)])
