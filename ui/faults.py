"""What nobody caught: one entry in the log and one line in the window, and the program goes on."""

import logging
import sys
import threading
import traceback
from types import TracebackType

from PySide6.QtCore import QMessageLogContext, QObject, QtMsgType, Signal, qInstallMessageHandler

log = logging.getLogger(__name__)
_LEVELS = {QtMsgType.QtDebugMsg: logging.DEBUG, QtMsgType.QtInfoMsg: logging.INFO}


class FaultWatch(QObject):
    """Catches stray exceptions of every thread, and Qt's own complaints."""

    message = Signal(str, str, str, str)

    def install(self) -> None:
        """Begin to watch."""
        sys.excepthook = self._on_exception
        threading.excepthook = self._on_thread_exception
        qInstallMessageHandler(self._on_qt_message)

    def _on_exception(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        log.error("not caught", exc_info=(kind, error, trace))
        details = "".join(traceback.format_exception(kind, error, trace))
        sentence = f"Something went wrong in the window: {error or kind.__name__}"
        self.message.emit("refused", sentence, "This is our fault; the details help to mend it.", details)

    def _on_thread_exception(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            self._on_exception(args.exc_type, args.exc_value, args.exc_traceback)

    def _on_qt_message(self, kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
        log.log(_LEVELS.get(kind, logging.WARNING), "Qt: %s", text)
