"""Windows go when a file's tests are done."""

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication


def delete_all(application: QApplication) -> None:
    """Delete every window that is left: in a process with hundreds of them, each with its timers, nothing
    could be said of how quick one is.
    """
    for window in application.topLevelWidgets():
        if window.parent() is None:
            window.deleteLater()
    application.sendPostedEvents(None, QEvent.Type.DeferredDelete)
