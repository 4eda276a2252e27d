"""The dialog that asks which of several files an accelerator's LoRAs are."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from catalog.accelerators import Accelerator
from catalog.library import Entry
from ui.state.accelerator import AcceleratorState


class FileChoice(QDialog):
    """One list for each part that several files, or one doubtful file, may be."""

    def __init__(
        self,
        profile: Accelerator,
        found: Sequence[Sequence[Entry]],
        state: AcceleratorState,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._profile, self._found, self._state = profile, found, state
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(profile.title)
        column = QVBoxLayout(self)
        column.setSpacing(8)
        column.addWidget(QLabel("Which files are meant?"))
        self.boxes = [self._box(part.file, files) for part, files in zip(profile.loras, found, strict=True)]
        for part, box in zip(profile.loras, self.boxes, strict=True):
            caption = QLabel(f"for {part.file}")
            caption.setProperty("tone", "secondary")
            caption.setProperty("px", "12")
            caption.setBuddy(box)
            column.addWidget(caption)
            column.addWidget(box)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column.addSpacing(8)
        column.addWidget(buttons)
        self.setMinimumWidth(440)

    def accept(self) -> None:
        """Put the profile to use with the files that are chosen."""
        chosen = [files[box.currentIndex()] for files, box in zip(self._found, self.boxes, strict=True)]
        super().accept()
        self._state.put(self._profile, chosen)

    def _box(self, name: str, files: Sequence[Entry]) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName(f"File for {name}")
        for row, entry in enumerate(files):
            doubts = entry.identity.contradictions if entry.identity else ()
            box.addItem(f"{entry.path.name}{' (not what it says)' if doubts else ''}")
            box.setItemData(row, "\n".join((str(entry.path), *doubts)), Qt.ItemDataRole.ToolTipRole)
        return box
