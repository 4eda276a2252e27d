"""The button that names the model and opens another."""

from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton

from catalog.folders import default_folders
from catalog.models import find_model
from ui.state.run import RunState
from ui.theme import icon, theme, watcher

_ARROW = QSize(18, 12)
SAVED_TIP = "Its description goes to the trash; the weights stay where they are"
RECENT_TIP = "Its files stay where they are"
OPEN_TIP = "It is open: open another model first"


class ModelChooser(QPushButton):
    """Shows the model's name; its menu has the demo, saved and earlier models, and three dialogs."""

    new_wanted = Signal()
    removal_wanted = Signal(str, str)
    """The path of a model that is to leave the list, and its title."""
    shelf_wanted = Signal()

    def __init__(self, run_state: RunState) -> None:
        super().__init__()
        self._run_state = run_state
        self._percent: int | None = None
        self.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # puts the arrow after the name
        self.setIconSize(_ARROW)
        self.setMaximumWidth(320)
        menu = QMenu(self)
        menu.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        menu.setToolTipsVisible(True)
        menu.aboutToShow.connect(self._fill)
        self._removal = QMenu("Remove from this list", menu)
        self._removal.setToolTipsVisible(True)
        self.setMenu(menu)
        run_state.changed.connect(self._refresh)
        watcher().changed.connect(self._refresh)
        self._refresh()

    def show_download(self, percent: int | None) -> None:
        """Say how much of a download has come; None when there is none."""
        self._percent = percent
        self._refresh()

    def _refresh(self) -> None:
        run = self._run_state
        self.setIcon(_arrow())
        coming = "" if self._percent is None else f"  ·  ↓ {self._percent} %"
        self.setText(run.model.title + coming)
        self.setAccessibleName(f"Model: {run.model.title}")
        experts = "two experts" if len(run.model.experts) == 2 else "one expert"
        what = "" if self._percent is None else f"\nAnother is being downloaded: {self._percent} %"
        self.setToolTip(f"Choose the model (↓)\n{run.model.title}, {experts}\n{run.model.path}{what}")

    def _fill(self) -> None:
        from catalog.model_assembly import SUFFIX, saved_assemblies  # the window's start needs no list

        menu = self.menu()
        menu.clear()
        self._add(find_model("demo").title, "demo", "The built-in model")
        saved = {str(a.path.resolve()): a.title for a in saved_assemblies(default_folders().models)}
        for name, title in saved.items():
            self._add(title, name, name)
        recent = _titles([name for name in self._recent() if name not in saved], SUFFIX)
        for name, title in recent.items():
            self._add(title, name, name)
        menu.addSeparator()
        new = menu.addAction("New model from files…", self.new_wanted.emit)
        new.setToolTip("Make a model of single files, as ComfyUI has them; they stay where they are")
        menu.addAction("Open a diffusers folder…", self._ask)
        percent = "" if self._percent is None else f" ({self._percent} %)"
        get = menu.addAction(f"Get a model…{percent}", self.shelf_wanted.emit)
        get.setToolTip("Download a Wan model, as a folder or as single files")
        self._fill_removal(saved, recent)

    def _recent(self) -> tuple[str, ...]:
        """The models of before that can be opened now. One on a disk that is not connected may come back."""
        run = self._run_state
        for name in run.recent_models:
            if not Path(name).exists() and Path(name).parent.is_dir():
                run.forget_model(name)
        return tuple(name for name in run.recent_models if Path(name).exists())

    def _fill_removal(self, saved: Mapping[str, str], recent: Mapping[str, str]) -> None:
        self._removal.clear()
        for models, tip in ((saved, SAVED_TIP), (recent, RECENT_TIP)):
            for name, title in models.items():
                action = self._removal.addAction(title)
                action.triggered.connect(partial(self.removal_wanted.emit, name, title))
                is_open = name == self._run_state.model_name
                action.setEnabled(not is_open)
                action.setToolTip(OPEN_TIP if is_open else f"{tip}\n{name}")
        if saved or recent:
            self.menu().addMenu(self._removal)

    def _add(self, title: str, name: str, tip: str) -> None:
        action = self.menu().addAction(title)
        action.setToolTip(tip)
        action.setData(name)
        action.setCheckable(True)
        action.setChecked(name == self._run_state.model_name)
        action.triggered.connect(self._open_chosen)

    def _open_chosen(self) -> None:
        action = self.sender()
        assert action is not None
        self._run_state.open_model(action.data())  # type: ignore[attr-defined]

    def _ask(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Open a diffusers folder")
        if folder:
            self._run_state.open_model(folder)


def _titles(names: list[str], suffix: str) -> dict[str, str]:
    """What models at these paths are called; those of one name are told apart by the folder they are in."""
    short = {name: Path(name).name.removesuffix(suffix) for name in names}
    twins = {title for title, count in Counter(short.values()).items() if count > 1}
    return {n: f"{t} · {Path(n).parent.name}" if t in twins else t for n, t in short.items()}


def _arrow() -> QIcon:
    """A small arrow with some room before it: styles put none between a button's words and its icon."""
    result = QIcon()
    for scale in (1, 2, 3):
        pixmap = QPixmap(_ARROW * scale)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        side = pixmap.height()
        icon("chevron-down", theme().secondary).paint(painter, pixmap.width() - side, 0, side, side)
        painter.end()
        result.addPixmap(pixmap)
    return result
