"""The Run menu: everything that starts, stops or chooses a run, with its shortcuts."""

from collections.abc import Callable
from functools import partial

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from ui.stage.panel import StagePanel
from ui.state.live import Live
from ui.state.run import RunState
from ui.unfinished import UnfinishedRuns, words_of


class RunMenu(QMenu):
    """Keeps its actions enabled as far as they can do something, so that their keys are free otherwise."""

    def __init__(
        self, run: RunState, live: Live, stage: StagePanel, unfinished: UnfinishedRuns, parent: QWidget
    ) -> None:
        super().__init__("&Run", parent)
        self._run, self._live, self._stage, self._unfinished = run, live, stage, unfinished
        takes = run.takes
        self._add("&Generate", run.generate, "Ctrl+Return", "Ctrl+Enter")
        self._cancel = self._add("&Cancel", run.cancel, "Esc")
        self._live_action = self._add("&Live", self._toggle, "Ctrl+L")
        self._live_action.setCheckable(True)
        self.addSeparator()
        self._branch = self._add("&Branch from the step on show", stage.branch, "B")
        self._resume = self._add("C&ontinue where it stopped", stage.take_row.resume_take)
        self._keep = self._add("&Keep the draft", stage.take_row.keep_draft, "Ctrl+K")
        self.addActions([stage.go_on_action, stage.paste_action])
        self.addSeparator()
        self._back = self._add("&Previous take", partial(takes.turn, -1), "Alt+Left")
        self._on = self._add("&Next take", partial(takes.turn, 1), "Alt+Right")
        self._recall = self._add("Bring the take's &faders and settings back", stage.take_row.recall)
        self._left = self.addMenu("&Unfinished clips")
        self._left.setToolTipsVisible(True)
        self.aboutToShow.connect(self._fill)
        for told in (stage.looked, takes.changed, run.state_changed, live.changed):
            told.connect(self._refresh)
        self._refresh()

    def _add(self, text: str, do: Callable[[], object], *keys: str) -> QAction:
        action = QAction(text, self)
        action.setShortcuts([QKeySequence(key) for key in keys])
        action.triggered.connect(lambda _checked=False: do())
        self.addAction(action)
        return action

    def _toggle(self) -> None:
        self._live.set_on(not self._live.is_on)

    def _refresh(self) -> None:
        run, row = self._run, self._stage.take_row
        # a disabled action leaves its key to whoever has the focus
        self._cancel.setEnabled(run.phase in ("running", "queued"))
        self._live_action.setChecked(self._live.is_on)
        self._branch.setEnabled(row.can_branch)
        self._resume.setEnabled(row.can_continue)
        self._keep.setEnabled(row.can_keep)
        self._recall.setEnabled(row.can_recall)
        self._back.setEnabled(run.takes.beside(-1) is not None)
        self._on.setEnabled(run.takes.beside(1) is not None)

    def _fill(self) -> None:
        left = self._run.unfinished()
        self._left.clear()
        self._left.setEnabled(bool(left))
        for each in left:
            text = f"Step {each.step} of {each.steps}: {words_of(each)}".replace("&", "&&")
            action = self._left.addAction(text, partial(self._unfinished.bring, each))
            action.setToolTip(each.recipe.prompt)
