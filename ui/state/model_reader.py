"""What a model is, read from its files beside the window: their headers may lie on a slow disk."""

import contextlib
import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal

from catalog.errors import CatalogError
from catalog.models import ModelInfo, find_model

Answer = Callable[[ModelInfo | CatalogError], None]


class ModelReader(QObject):
    """Answers on the thread that owns it, in the order in which it was asked."""

    _read = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._last: threading.Thread | None = None
        self._read.connect(self._tell, Qt.ConnectionType.QueuedConnection)

    def read(self, name: str, answer: Answer) -> None:
        """Find "demo" or the model at that path; `answer` is called with it, or with why there is none."""
        work = threading.Thread(
            target=self._find, args=(name, answer, self._last), name="model reader", daemon=True
        )
        self._last = work
        work.start()

    def _find(self, name: str, answer: Answer, before: threading.Thread | None) -> None:
        found: ModelInfo | CatalogError
        try:
            found = find_model(name)
        except CatalogError as error:
            found = error
        except OSError as error:
            found = CatalogError(f"The model {name} cannot be read: {error.strerror}.", "Check the disk.")
        if before is not None:
            before.join()
        with contextlib.suppress(RuntimeError):  # the window is gone
            self._read.emit(answer, found)

    def _tell(self, answer: Answer, found: ModelInfo | CatalogError) -> None:
        answer(found)
