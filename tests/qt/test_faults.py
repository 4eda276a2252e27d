"""What nobody caught ends in the log and in one line of the window."""

import logging
import sys
import threading

import pytest
from PySide6.QtCore import QMessageLogContext, QtMsgType
from pytestqt.qtbot import QtBot

from ui.faults import FaultWatch


def raised(error: BaseException) -> tuple[type[BaseException], BaseException, None]:
    return type(error), error, None


def test_an_exception_in_the_window_is_said_and_logged(
    qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    watch = FaultWatch()
    with qtbot.waitSignal(watch.message) as said:
        watch._on_exception(*raised(ValueError("no such thing")))
    kind, sentence, advice, details = said.args
    assert kind == "refused" and "no such thing" in sentence and advice and "ValueError" in details
    assert "not caught" in caplog.text


def test_an_exception_of_another_thread_reaches_the_window(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = FaultWatch()
    monkeypatch.setattr(threading, "excepthook", watch._on_thread_exception)

    def fail() -> None:
        raise RuntimeError("far away")

    with qtbot.waitSignal(watch.message) as said:
        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
    assert "far away" in said.args[1]


def test_ctrl_c_is_no_fault(qtbot: QtBot) -> None:
    watch = FaultWatch()
    with qtbot.assertNotEmitted(watch.message):
        watch._on_exception(*raised(KeyboardInterrupt()))


def test_what_qt_complains_about_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        FaultWatch()._on_qt_message(QtMsgType.QtWarningMsg, QMessageLogContext(), "a complaint")
    assert "Qt: a complaint" in caplog.text


def test_installing_takes_both_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr("ui.faults.qInstallMessageHandler", lambda handler: None)
    watch = FaultWatch()
    watch.install()
    assert sys.excepthook == watch._on_exception
