"""Takes models off the chooser's list: ours go to the trash, weights stay where they are."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QFile

from catalog.folders import default_folders
from catalog.model_assembly import SUFFIX
from ui.message_bar import Action, MessageBar
from ui.state.run import RunState

BACK_TIP = "Put it on the list again"


class ModelRemoval:
    """Removes a model that is not open, says what became of it, and offers the way back."""

    def __init__(self, run: RunState, bar: MessageBar) -> None:
        self._run, self._bar = run, bar

    def remove(self, name: str, title: str) -> None:
        """Take the model at the path `name` off the list; only a description made here leaves its place."""
        path = Path(name)
        if path.name.endswith(SUFFIX) and path.parent == default_folders().models.resolve():
            self._trash(path, title)
            return
        self._run.forget_model(name)
        self._say(title, "Its files stay where they are.", partial(self._run.list_model, name))

    def _trash(self, path: Path, title: str) -> None:
        description = _content(path)
        if description is None or not QFile.moveToTrash(str(path)):
            advice = "Remove the file by hand, or leave it: it holds no weights."
            self._bar.say("refused", f"“{title}” could not be moved to the trash.", advice, str(path))
            return
        self._run.forget_model(str(path))
        advice = "Its description is in the trash; the weights stay where they are."
        self._say(title, advice, partial(self._put_back, path, title, description))

    def _put_back(self, path: Path, title: str, description: bytes) -> None:
        try:
            with path.open("xb") as file:  # never onto another of that name
                file.write(description)
        except OSError as error:
            advice = "Another of that name was made meanwhile." if path.exists() else f"{error.strerror}."
            self._bar.say("refused", f"“{title}” could not be put back.", advice, str(path))

    def _say(self, title: str, advice: str, put_back: partial[None]) -> None:
        sentence = f"“{title}” is off the list."

        def back() -> None:
            put_back()
            self._bar.withdraw(sentence)

        self._bar.say("info", sentence, advice, "", (Action("Put back", BACK_TIP, back),))


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
