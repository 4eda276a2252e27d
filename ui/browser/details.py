"""What is known about the selected LoRA file, as text that can be copied."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QTextEdit, QVBoxLayout, QWidget

from ui.browser.words import Fact, facts
from ui.elided_label import ElidedLabel
from ui.stage.icon_button import IconButton
from ui.theme import Theme, font, theme, watcher

if TYPE_CHECKING:
    from catalog.coverage_words import Tally
    from catalog.library import Entry
    from engine.gauge import FileGauged


_MEASURE = "Measure how large its change is; no model is needed"


class DetailsPane(QFrame):
    """Name, coverage, evidence, doubts, trigger words and path of one entry; hidden while none is selected."""

    add_requested = Signal()
    coverage_requested = Signal()
    measure_requested = Signal()
    copy_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("ground", "raised")
        self._facts: tuple[Fact, ...] = ()
        self._build()
        self._arrange()
        self.hide()
        watcher().changed.connect(self._write)

    @property
    def text(self) -> QTextEdit:
        """The facts as they are shown."""
        return self._text

    def show_entry(
        self, entry: Entry | None, coverage: Tally | None = None, sizes: FileGauged | None = None
    ) -> None:
        """Show one entry, how much of it applies to the model and how large it is, or nothing."""
        self.setVisible(entry is not None)
        if entry is None:
            return
        self._name.setText(entry.name)
        found = facts(entry, coverage, sizes)
        if found != self._facts:
            self._facts = found
            self._write()
        self._add.setEnabled(not entry.problem)
        self._applies.setEnabled(not entry.problem)
        self._measure.setVisible(not entry.problem)
        self._copy.setVisible(bool(entry.identity and entry.identity.trigger_words))

    def show_measuring(self, is_measuring: bool) -> None:
        """Say that the numbers of the file are being read."""
        self._measure.setEnabled(not is_measuring)
        self._measure.setToolTip("Measuring…" if is_measuring else _MEASURE)

    def fit(self, height: int) -> None:
        """Leave the cards their room in a browser of this height."""
        lines = 8 if height > 760 else 5
        self._text.setFixedHeight(lines * self._text.fontMetrics().lineSpacing())

    def _build(self) -> None:
        self._name = ElidedLabel()
        self._name.setFont(font(13, is_bold=True))
        self._text = QTextEdit()
        self._text.setReadOnly(True)
        self._text.setTabChangesFocus(True)
        self._text.setFont(font(12))
        self._text.setStyleSheet("border: 0; padding: 0; background: transparent;")
        self._text.setAccessibleName("What is known about the file")
        self._text.setToolTip("Evidence, doubts, trigger words and path; select and copy")
        self._text.document().setDocumentMargin(0)
        self._add = _button("Add to desk", "Put it on the desk (Enter)", "Add the selected LoRA to the desk")
        self._add.clicked.connect(self.add_requested)
        self._applies = _button(
            "What applies…", "Every layer and key, with reasons (Space)", "What of the selected LoRA applies"
        )
        self._applies.clicked.connect(self.coverage_requested)
        self._measure = IconButton("measure", "Measure the selected LoRA", _MEASURE)
        self._measure.clicked.connect(self.measure_requested)
        self._copy = IconButton(
            "copy", "Copy the trigger words of the selected LoRA", "Copy the trigger words"
        )
        self._copy.clicked.connect(self.copy_requested)

    def _arrange(self) -> None:
        top, buttons = QHBoxLayout(), QHBoxLayout()
        top.setSpacing(0)
        top.addWidget(self._name, 1)
        for icon_button in (self._measure, self._copy):
            top.addWidget(icon_button)
        buttons.setSpacing(8)
        for button in (self._add, self._applies):
            buttons.addWidget(button)
        buttons.addStretch(1)
        box = QVBoxLayout(self)
        box.setContentsMargins(12, 8, 8, 8)
        box.setSpacing(4)
        box.addLayout(top)
        box.addWidget(self._text)
        box.addLayout(buttons)

    def _write(self) -> None:
        self._text.setHtml(_html(self._facts, theme()))


def _html(found: tuple[Fact, ...], colours: Theme) -> str:
    lines = (
        f'<p style="margin: 0; color: {getattr(colours, fact.meaning)}">{escape(fact.text)}</p>'
        for fact in found
    )
    return "".join(lines)


def _button(text: str, tip: str, name: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setAccessibleName(name)
    return button
