"""Under the files: which model they make, what is missing and where it can be had, and what to confirm."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ui.models.draft import Draft
from ui.models.words import UNKNOWN_MODEL, alike_words, missing_words


class Summary(QWidget):
    """Follows the draft. Repository names can be selected and copied; nothing is fetched."""

    def __init__(self, draft: Draft) -> None:
        super().__init__()
        self._draft = draft
        self.model = QComboBox()
        self.model.setAccessibleName("Model")
        self.model.setToolTip("Which model the files are; their tensors alone cannot tell these apart (↑ ↓)")
        self.model.activated.connect(lambda: draft.want(self.model.currentData()))
        self.title, self.missing, self.note = QLabel(), QLabel(), QLabel()
        self.missing.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.missing.setAccessibleName("What is missing, and where it can be had")
        self.missing.setToolTip("Select a name to copy it (Ctrl+C)")
        self.missing.setProperty("tone", "look")
        self.note.setProperty("tone", "secondary")
        self.confirm = QCheckBox("High and low noise are as shown above")
        self.confirm.setToolTip("Names are not always right: look where the files come from (Space)")
        self.confirm.toggled.connect(draft.confirm)
        self._arrange()
        draft.changed.connect(self._refresh)
        self._refresh()

    def _arrange(self) -> None:
        for label in (self.missing, self.note):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setProperty("px", "12")
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self._caption = QLabel("Makes")
        self._caption.setProperty("tone", "secondary")
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self._caption)
        top.addWidget(self.title)
        top.addWidget(self.model)
        top.addStretch(1)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(6)
        box.addLayout(top)
        box.addWidget(self.note)
        box.addWidget(self.missing)
        box.addWidget(self.confirm)

    def _refresh(self) -> None:
        proposal = self._draft.proposal
        rows = proposal.rows
        self._caption.setVisible(bool(rows))
        self.title.setVisible(len(rows) == 1)
        self.title.setText(rows[0].title or UNKNOWN_MODEL if rows else "")
        self.model.setVisible(len(rows) > 1)
        self._fill_models()
        self._say(self.note, alike_words(self._draft.alike))
        fault = f"{proposal.problem} {proposal.advice}".strip() if rows and not proposal.missing else ""
        self._say(self.missing, missing_words(proposal.missing) or fault)
        self.confirm.setVisible(self._draft.needs_confirming)
        self.confirm.setChecked(self._draft.is_confirmed)

    def _fill_models(self) -> None:
        rows = sorted(self._draft.proposal.rows, key=lambda row: row.id)
        if [row.id for row in rows] != [self.model.itemData(i) for i in range(self.model.count())]:
            self.model.clear()
            for row in rows:
                self.model.addItem(row.title, row.id)
        if self._draft.proposal.rows:
            self.model.setCurrentIndex(self.model.findData(self._draft.proposal.rows[0].id))

    def _say(self, label: QLabel, words: str) -> None:
        label.setText(words)
        label.setVisible(bool(words))
