"""The files of the model that is being put together, one under the other, and the place to drop more."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from ui.models.draft import Draft
from ui.models.part_row import PartRow
from ui.theme import font, theme, watcher

EMPTY = (
    "Drop the files of a model here:\n"
    "transformer or both experts, VAE, text encoder, tokenizer,\n"
    "for Wan 2.1's image models the image encoder (CLIP) as well.\n\n"
    "They stay where they are. A ComfyUI folder is looked through as a whole."
)


class PartList(QScrollArea):
    """A row for every file of the draft, in the order in which they came; those that are no parts below."""

    chosen = Signal(object, str)
    """Path, Role"""

    def __init__(self, draft: Draft) -> None:
        super().__init__()
        self._draft = draft
        self.rows: dict[Path, PartRow] = {}
        self._parts = 0
        self.setAccessibleName("Files of the model")
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inner = QWidget()
        self._box = QVBoxLayout(inner)
        self._box.setContentsMargins(0, 0, 8, 0)
        self._box.setSpacing(4)
        self._box.addStretch(1)
        self.setWidget(inner)
        draft.changed.connect(self._refresh)
        watcher().changed.connect(self.viewport().update)

    @property
    def boxes(self) -> tuple[QWidget, ...]:
        """The boxes that say what the files play, from top to bottom."""
        return tuple(row.role for row in sorted(self.rows.values(), key=self._box.indexOf))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.rows:
            return
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = self.viewport().rect().adjusted(1, 1, -1, -1)
        painter.setPen(QPen(QColor(theme().faint), 1, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(area, 8, 8)
        painter.setPen(QColor(theme().secondary))
        painter.setFont(font(13))
        painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), EMPTY)
        painter.end()

    def _refresh(self) -> None:
        for file in self._draft.files:
            if file.path not in self.rows:
                row = PartRow(file)
                row.chosen.connect(self.chosen)
                below = self._box.count() - 1
                self._box.insertWidget(below if file.refusal else self._parts, row)
                self._parts += not file.refusal
                self.rows[file.path] = row
            self.rows[file.path].show_role(self._draft.roles[file.path], self._draft.doubt(file))
        self.viewport().update()
