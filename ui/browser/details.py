"""What is known about the selected LoRA file, as text that can be copied."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from catalog.library import Entry
from ui.browser.words import full_text
from ui.elided_label import ElidedLabel
from ui.theme import font


class DetailsPane(QFrame):
    """Name, evidence, trigger words and path of one entry; hidden while none is selected."""

    add_requested = Signal()
    copy_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("ground", "raised")
        self._name = ElidedLabel()
        self._name.setFont(font(13, is_bold=True))
        self._text = QPlainTextEdit()
        self._text.setReadOnly(True)
        self._text.setTabChangesFocus(True)
        self._text.setFont(font(12))
        self._text.setStyleSheet("border: 0; padding: 0; background: transparent;")
        self._text.setAccessibleName("What is known about the file")
        self._text.setToolTip("Evidence, trigger words and path; select and copy")
        self._text.document().setDocumentMargin(0)
        self._add = QPushButton("Add to desk")
        self._add.setToolTip("Put it on the desk (Enter)")
        self._add.setAccessibleName("Add the selected LoRA to the desk")
        self._add.clicked.connect(self.add_requested)
        self._copy = QPushButton("Copy triggers")
        self._copy.setToolTip("Copy what the prompt should contain")
        self._copy.setAccessibleName("Copy the trigger words of the selected LoRA")
        self._copy.clicked.connect(self.copy_requested)
        self._arrange()
        self.hide()

    def show_entry(self, entry: Entry | None) -> None:
        """Show one entry, or nothing."""
        self.setVisible(entry is not None)
        if entry is None:
            return
        self._name.setText(entry.name)
        self._text.setPlainText(full_text(entry))
        self._add.setEnabled(not entry.problem)
        self._copy.setVisible(bool(entry.identity and entry.identity.trigger_words))

    def fit(self, height: int) -> None:
        """Leave the cards their room in a browser of this height."""
        self._text.setFixedHeight(112 if height > 760 else 64)

    def _arrange(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self._add)
        buttons.addWidget(self._copy)
        buttons.addStretch(1)
        box = QVBoxLayout(self)
        box.setContentsMargins(12, 8, 8, 8)
        box.setSpacing(4)
        box.addWidget(self._name)
        box.addWidget(self._text)
        box.addLayout(buttons)
