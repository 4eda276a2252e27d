"""Messages: newest shown, older counted, plain text, never in the way."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from ui.message_bar import MOST, Action, MessageBar


@pytest.fixture
def bar(qtbot: QtBot) -> Iterator[MessageBar]:
    window = QWidget()
    bar = MessageBar()
    QVBoxLayout(window).addWidget(bar)
    window.resize(800, 200)
    window.show()
    yield bar
    window.close()


def words(bar: MessageBar) -> str:
    return " | ".join(
        label.text() for label in bar.findChildren(QLabel) if not label.isHidden() and label.text()
    )


def button(bar: MessageBar, text: str) -> QPushButton:
    return next(b for b in bar.findChildren(QPushButton) if b.text() == text)


def test_nothing_to_say_takes_no_room(bar: MessageBar) -> None:
    assert bar.isHidden()


def test_the_newest_is_shown_and_older_are_counted(bar: MessageBar) -> None:
    bar.say("info", "One.")
    bar.say("look", "Two.", "Do this.")
    bar.say("refused", "Three.")
    assert words(bar) == "Three. | +2 older"
    bar.dismiss()
    assert words(bar) == "Two. | Do this. | +1 older"
    bar.dismiss()
    bar.dismiss()
    assert bar.isHidden()
    bar.dismiss()


def test_the_same_again_does_not_pile_up(bar: MessageBar) -> None:
    for _ in range(1000):
        bar.say("refused", "The disk is full.")
    assert len(bar.messages) == 1
    for number in range(1000):
        bar.say("info", f"Message {number}")
    assert len(bar.messages) == MOST


def test_details_open_on_demand_and_are_copied(bar: MessageBar) -> None:
    bar.say("refused", "It failed.", "Try again.", "Traceback\n  line 1")
    text = bar.findChild(QPlainTextEdit)
    assert text is not None and text.isHidden()
    button(bar, "Details").click()
    assert not text.isHidden() and text.toPlainText() == "Traceback\n  line 1"
    button(bar, "Copy").click()
    assert QGuiApplication.clipboard().text() == "It failed.\n\nTry again.\n\nTraceback\n  line 1"
    bar.say("info", "All well.")
    assert text.isHidden() and button(bar, "Details").isHidden()


def test_a_message_is_plain_text(bar: MessageBar) -> None:
    bar.say("info", "<b>bold</b> & <img src=x>", "<script>")
    label = next(label for label in bar.findChildren(QLabel) if "bold" in label.text())
    assert label.textFormat() == Qt.TextFormat.PlainText


def test_escape_dismisses_when_the_bar_has_the_focus(bar: MessageBar, qtbot: QtBot) -> None:
    bar.say("look", "One.", "", "details")
    button(bar, "Details").setFocus()
    QTest.keyClick(button(bar, "Details"), Qt.Key.Key_Escape)
    assert bar.isHidden()


def test_an_unknown_kind_is_information(bar: MessageBar) -> None:
    bar.say("gossip", "Hm.")
    assert bar.messages[-1].kind == "info"


def test_an_offer_is_taken_once_and_its_message_goes(bar: MessageBar) -> None:
    done: list[str] = []
    offers = (
        Action("Continue", "Go on", lambda: done.append("on")),
        Action("Discard", "Let it go", lambda: done.append("gone")),
    )
    bar.say("info", "Older.")
    bar.say("info", "A clip stopped.", actions=offers)
    assert (
        button(bar, "Continue").toolTip() == "Go on"
        and "A clip stopped." in button(bar, "Discard").accessibleName()
    )
    button(bar, "Discard").click()
    assert done == ["gone"] and [m.sentence for m in bar.messages] == ["Older."]
    assert button(bar, "Continue").isHidden(), "the older message offers nothing"


def test_offers_come_before_details_and_dismiss_by_tab(bar: MessageBar) -> None:
    bar.say("info", "A clip stopped.", "", "details", (Action("Continue", "Go on", lambda: None),))
    bar.window().activateWindow()
    button(bar, "Continue").setFocus()
    QTest.keyClick(button(bar, "Continue"), Qt.Key.Key_Tab)
    focused = bar.focusWidget()
    assert focused is button(bar, "Details")
