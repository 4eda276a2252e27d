"""All keys at a glance: what one does on the left, the keys for it on the right."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from ui.fitting import fit
from ui.help import SHORTCUTS


class ShortcutsDialog(QDialog):
    """Deletes itself when it is closed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Shortcuts")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setAccessibleName("Shortcuts")
        area.setWidget(_table())
        buttons = QDialogButtonBox()
        close = buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        close.setToolTip("Close (Esc)")
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 16, 12, 16)
        layout.addWidget(area)
        layout.addWidget(buttons)
        fit(self, 580, 720)
        close.setFocus()


def _table() -> QWidget:
    table = QWidget()
    grid = QGridLayout(table)
    grid.setContentsMargins(0, 0, 12, 0)
    grid.setHorizontalSpacing(24)
    grid.setVerticalSpacing(6)
    for heading, rows in SHORTCUTS:
        grid.addWidget(_label(heading, "px", "14", "weight", "bold"), grid.rowCount(), 0, 1, 2)
        for what, keys in rows:
            row = grid.rowCount()
            grid.addWidget(_label(what), row, 0)
            grid.addWidget(_label(keys, "tone", "secondary"), row, 1)
        grid.setRowMinimumHeight(grid.rowCount(), 8)
    grid.setColumnStretch(0, 1)
    grid.setRowStretch(grid.rowCount(), 1)
    return table


def _label(text: str, *look: str) -> QLabel:
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    for name, value in zip(look[::2], look[1::2], strict=True):
        label.setProperty(name, value)
    return label
