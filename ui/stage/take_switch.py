"""Which take is on the stage, of how many, and the way to the others."""

from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from ui.stage.icon_button import IconButton
from ui.state.run import RunState
from ui.state.take import Take
from ui.theme import font


class TakeSwitch(QWidget):
    """‹ Take 2 of 3 ›, which is not there while there is only one."""

    def __init__(self, run_state: RunState) -> None:
        super().__init__()
        self._takes = run_state.takes
        self.back = IconButton("chevron-left", "The take before", "The take before (Alt+←)")
        self.on = IconButton("chevron-right", "The next take", "The next take (Alt+→)")
        self.label = QLabel()
        self.label.setFont(font(12, is_tabular=True))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        for widget in (self.back, self.label, self.on):
            row.addWidget(widget)
        self.back.clicked.connect(self._turn_back)
        self.on.clicked.connect(self._turn_on)
        self._takes.changed.connect(self._refresh)
        self._refresh()

    def _turn_back(self) -> None:
        self._takes.turn(-1)

    def _turn_on(self) -> None:
        self._takes.turn(1)

    def _refresh(self) -> None:
        take = self._takes.current
        self.setVisible(take is not None and len(self._takes.all) > 1)
        self.back.setEnabled(self._takes.beside(-1) is not None)
        self.on.setEnabled(self._takes.beside(1) is not None)
        if take is not None:
            of = "" if take.is_draft else f" of {self._takes.newest_number}"
            self.label.setText(f"{take.name}{of}")
            self.label.setToolTip(words_of(take))
            self.label.setAccessibleName(f"{take.name}{of}")


def words_of(take: Take) -> str:
    """A take in a few lines: where it began, its prompt, its settings."""
    own = take.recipe
    numbers = f"seed {own.seed} · {take.count} steps · {own.width} × {own.height} · {own.frames} frames"
    return "\n".join(filter(None, (take.origin, f"“{own.prompt}”", numbers)))
