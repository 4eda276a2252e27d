"""One bar for what went well, what needs a look and what was refused."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAccessible, QAccessibleEvent, QGuiApplication, QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ui.theme import icon, theme, watcher

Kind = Literal["info", "look", "refused"]
MOST = 50


@dataclass(frozen=True, slots=True)
class Action:
    """Something that a message offers to do at once."""

    text: str
    tip: str
    do: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Message:
    """What is said: one sentence, what to do, text for those who want to know more, and up to two offers."""

    kind: Kind
    sentence: str
    advice: str = ""
    details: str = ""
    actions: tuple[Action, ...] = field(default=(), compare=False)


class MessageBar(QFrame):
    """Shows the newest message; dismissing it shows the one before. Plain text only, never modal."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._messages: list[Message] = []
        self.setObjectName("message")
        self._build()
        self._arrange()
        self.hide()
        watcher().changed.connect(self._show)

    @property
    def messages(self) -> tuple[Message, ...]:
        """All that was said and not dismissed, newest last."""
        return tuple(self._messages)

    def say(
        self, kind: str, sentence: str, advice: str = "", details: str = "", actions: tuple[Action, ...] = ()
    ) -> None:
        """Show a message. Saying the same again does not pile up."""
        known: Kind = "refused" if kind == "refused" else "look" if kind == "look" else "info"
        message = Message(known, sentence, advice, details, actions)
        self._messages = [m for m in self._messages if m != message][-MOST + 1 :] + [message]
        self._details_button.setChecked(False)
        self._show()
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def dismiss(self) -> None:
        """Take the newest message away."""
        had_focus = self.focusWidget() is not None and self.focusWidget().hasFocus()
        if self._messages:
            self._messages.pop()
        self._details_button.setChecked(False)
        self._show()
        if had_focus and self._messages:
            self._close.setFocus()

    def withdraw(self, sentence: str) -> None:
        """Take back what no longer holds."""
        kept = [m for m in self._messages if m.sentence != sentence]
        if len(kept) != len(self._messages):
            self._messages = kept
            self._show()

    def copy(self) -> None:
        """Put the whole message on the clipboard."""
        message = self._messages[-1]
        parts = (message.sentence, message.advice, message.details)
        QGuiApplication.clipboard().setText("\n\n".join(p for p in parts if p))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        is_override = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if is_override and event.key() == Qt.Key.Key_Escape:  # type: ignore[attr-defined]
            event.accept()  # Esc in this bar dismisses; elsewhere it cancels the run
        return False

    def _build(self) -> None:
        self._icon = QLabel()
        self._sentence, self._advice, self._count = QLabel(), QLabel(), QLabel()
        for label in (self._sentence, self._advice, self._count):
            label.setTextFormat(Qt.TextFormat.PlainText)
        self._sentence.setWordWrap(True)
        self._advice.setWordWrap(True)
        self._advice.setProperty("tone", "secondary")
        self._count.setProperty("tone", "secondary")
        self._offers = (QPushButton(), QPushButton())
        for place, offer in enumerate(self._offers):
            offer.clicked.connect(partial(self._do, place))
            offer.setAccessibleName("Offer of the message")
            offer.setToolTip("What the message offers to do")
        self._details_button = QPushButton("Details")
        self._details_button.setCheckable(True)
        self._details_button.setAccessibleName("Details of the message")
        self._details_button.setToolTip("Show what is known about it")
        self._details_button.toggled.connect(self._show)
        self._copy = QPushButton("Copy")
        self._copy.setAccessibleName("Copy the message and its details")
        self._copy.setToolTip("Copy message and details, for a report")
        self._copy.clicked.connect(self.copy)
        self._close = QToolButton()
        self._close.setProperty("quiet", "true")
        self._close.setAccessibleName("Dismiss the message")
        self._close.setToolTip("Dismiss (Esc)")
        self._close.clicked.connect(self.dismiss)
        self._text = QPlainTextEdit()
        self._text.setReadOnly(True)
        self._text.setTabChangesFocus(True)
        self._text.setAccessibleName("Details of the message")
        self._text.setToolTip("What is known about it; select and copy")
        for each in (*self._offers, self._details_button, self._copy, self._close, self._text):
            each.installEventFilter(self)

    def _arrange(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._sentence)
        words.addWidget(self._advice)
        self._row = row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._icon)
        row.addLayout(words, 1)
        for widget in (self._count, *self._offers, self._copy, self._details_button, self._close):
            row.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)
        box = QVBoxLayout(self)
        box.setContentsMargins(16, 6, 8, 6)
        box.setSpacing(8)
        box.addLayout(row)
        box.addWidget(self._text)

    def _show(self) -> None:
        self.setVisible(bool(self._messages))
        if not self._messages:
            return
        message, older = self._messages[-1], len(self._messages) - 1
        colour = {"info": theme().accent, "look": theme().look, "refused": theme().refused}[message.kind]
        self._icon.setPixmap(icon(message.kind, colour).pixmap(16))
        self._icon.setToolTip({"info": "Information", "look": "Look", "refused": "Refused"}[message.kind])
        self._close.setIcon(icon("close", theme().secondary))
        self._sentence.setText(message.sentence)
        self._advice.setText(message.advice)
        self._advice.setVisible(bool(message.advice))
        beside_one_line = Qt.AlignmentFlag.AlignVCenter if not message.advice else Qt.AlignmentFlag.AlignTop
        self._row.setAlignment(self._icon, beside_one_line)
        self._count.setText(f"+{older} older")
        self._count.setVisible(older > 0)
        self._show_offers(message)
        self._details_button.setVisible(bool(message.details))
        is_open = self._details_button.isChecked() and bool(message.details)
        self._copy.setVisible(is_open)
        self._text.setVisible(is_open)
        self._text.setPlainText(message.details)
        lines = min(9, message.details.count("\n") + 1)
        self._text.setFixedHeight(lines * self._text.fontMetrics().lineSpacing() + 20)
        self.setAccessibleName(f"{message.sentence} {message.advice}".strip())
        self._wear(colour)

    def _show_offers(self, message: Message) -> None:
        for place, button in enumerate(self._offers):
            button.setVisible(place < len(message.actions))
            if place < len(message.actions):
                action = message.actions[place]
                button.setText(action.text)
                button.setAccessibleName(f"{action.text}: {message.sentence}")
                button.setToolTip(action.tip)

    def _do(self, place: int) -> None:
        """Take an offer; its message has then been answered."""
        action = self._messages[-1].actions[place]
        self.dismiss()
        action.do()

    def _wear(self, colour: str) -> None:
        """A stripe in the kind's colour; style sheets are slow, so only when it differs."""
        sheet = (
            f"#message {{ background: {theme().panel}; border: 0; border-left: 3px solid {colour};"
            f" border-bottom: 1px solid {theme().line}; }}"
        )
        if sheet != self.styleSheet():
            self.setStyleSheet(sheet)
