"""Pictures on the clipboard: an image itself, or files that were copied; and pasting them."""

from pathlib import Path

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication

from ui.browser.cards import paths_in
from ui.state.input_places import Place, is_picture
from ui.state.inputs import InputState


def paste(inputs: InputState, place: Place | None = None) -> bool:
    """Put what is on the clipboard in a place, or where it is wanted most; False where it is no picture."""
    if found := files():
        if place is None:
            inputs.take(found)
        else:
            inputs.put_all(found, place)
        return True
    copied = QGuiApplication.clipboard().image()
    if copied.isNull():
        return False
    inputs.paste(copied, place)
    return True


def files() -> tuple[Path, ...]:
    """The picture files that were copied."""
    return tuple(filter(is_picture, paths_in(_data()))) if _data().hasUrls() else ()


def holds_picture() -> bool:
    """Whether there is a picture to paste."""
    return _data().hasImage() or bool(files())


def holds_words() -> bool:
    """Whether there is text to paste, which a text field would rather have."""
    return _data().hasText() and not files()


def _data() -> QMimeData:
    return QGuiApplication.clipboard().mimeData() or QMimeData()
