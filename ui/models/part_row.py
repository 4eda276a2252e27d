"""One file in the dialog: its name, what it is, its size, and the box that says what it plays."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QFrame, QGridLayout, QLabel

from catalog.part_files import PartFile, Role
from ui.elided_label import ElidedLabel
from ui.models.words import ROLES, size_words, tip
from ui.theme import font

_ROLE_WIDTH, _SIZE_WIDTH = 168, 72


class PartRow(QFrame):
    """Says by `chosen` what the user wants the file to play."""

    chosen = Signal(object, str)
    """Path, Role"""

    def __init__(self, file: PartFile) -> None:
        super().__init__()
        self._file = file
        self.setProperty("ground", "panel")
        self.setToolTip(tip(file))
        self.role = _role_box(file)
        self.role.activated.connect(self._choose)
        self.doubt = QLabel()
        self.doubt.setProperty("tone", "look")
        self.doubt.setProperty("px", "12")
        self.doubt.setWordWrap(True)
        self._arrange()

    def show_role(self, role: Role, doubt: str) -> None:
        """What the file plays, and why that has to be confirmed."""
        self.role.setCurrentIndex(max(0, self.role.findData(role)))
        self.doubt.setText(f"To be confirmed: {doubt}." if doubt else "")
        self.doubt.setVisible(bool(doubt))
        self.role.setAccessibleDescription(self.doubt.text())

    def _arrange(self) -> None:
        name = ElidedLabel(self._file.path.name)
        what = QLabel(self._file.refusal or self._file.words)
        what.setTextFormat(Qt.TextFormat.PlainText)
        what.setWordWrap(True)
        what.setProperty("px", "12")
        what.setProperty("tone", "refused" if self._file.refusal else "secondary")
        size = QLabel(size_words(self._file.size))
        size.setFont(font(12, is_tabular=True))
        size.setProperty("tone", "secondary")
        size.setFixedWidth(_SIZE_WIDTH)
        size.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        grid = QGridLayout(self)
        grid.setContentsMargins(12, 6, 8, 6)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(1)
        grid.addWidget(name, 0, 0)
        grid.addWidget(what, 1, 0)
        grid.addWidget(self.doubt, 2, 0)
        grid.addWidget(size, 0, 1, 3, 1)
        grid.addWidget(self.role, 0, 2, 3, 1)
        grid.setColumnStretch(0, 1)

    def _choose(self) -> None:
        self.chosen.emit(self._file.path, self.role.currentData())


class _RoleBox(QComboBox):
    """The wheel scrolls the list rather than change what a file plays."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


def _role_box(file: PartFile) -> QComboBox:
    box = _RoleBox()
    box.setFixedWidth(_ROLE_WIDTH)
    for role in (*file.roles, ""):
        box.addItem(ROLES[role], role)
    box.setCurrentIndex(box.findData(""))
    box.setEnabled(bool(file.roles))
    box.setAccessibleName(f"Role of {file.path.name}")
    box.setToolTip("What the file plays in the model (↑ ↓)" if file.roles else file.refusal)
    return box
