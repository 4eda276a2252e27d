"""The prompt and the negative prompt in one box."""

from dataclasses import replace

from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ui.stage.prompt_edit import PromptEdit
from ui.state.run import RunState
from ui.theme import font, theme


class PromptBox(QWidget):
    """What should be seen, and below it, quieter, what should not."""

    def __init__(self, run_state: RunState) -> None:
        super().__init__()
        self._run_state = run_state
        self.prompt = PromptEdit("Prompt", most_lines=5)
        self.prompt.setPlaceholderText("What should be seen?")
        self.prompt.setToolTip("What should be seen (Ctrl+Enter renders)")
        self.prompt.setFont(font(14))
        self.negative = PromptEdit("Negative prompt", most_lines=3, is_folding=True)
        self.negative.setPlaceholderText("what should not be seen")
        self.negative.setToolTip("What should not be seen; unfolds while you write in it")
        self._arrange()
        self.prompt.edited.connect(self._on_prompt_edited)
        self.negative.edited.connect(self._on_negative_edited)
        for edit in (self.prompt, self.negative):
            edit.generate_requested.connect(run_state.generate)
            edit.focus_changed.connect(self.update)
        run_state.changed.connect(self._refresh)
        self._refresh()

    def _arrange(self) -> None:
        caption = QLabel("negative")
        caption.setProperty("tone", "secondary")
        caption.setFont(font(12))
        caption.setIndent(1)  # in line with the words above
        caption.setBuddy(self.negative)
        below = QHBoxLayout()
        below.setSpacing(8)
        below.addWidget(caption)
        below.addWidget(self.negative, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 6, 8, 6)
        column.setSpacing(2)
        column.addWidget(self.prompt)
        column.addLayout(below)

    def paintEvent(self, event: QPaintEvent) -> None:
        is_active = self.prompt.hasFocus() or self.negative.hasFocus()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(QColor(theme().panel))
        painter.setPen(QColor(theme().accent if is_active else theme().line))
        painter.drawRoundedRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        painter.end()

    def _on_prompt_edited(self, words: str) -> None:
        self._run_state.change(replace(self._run_state.settings, prompt=words))

    def _on_negative_edited(self, words: str) -> None:
        self._run_state.change(replace(self._run_state.settings, negative_prompt=words))

    def _refresh(self) -> None:
        self.prompt.set_words(self._run_state.settings.prompt)
        self.negative.set_words(self._run_state.settings.negative_prompt)
