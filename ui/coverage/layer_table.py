"""A row per kind of layer: its name, a thin bar, how many apply."""

from collections.abc import Sequence

from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from catalog.coverage import Share
from ui.coverage.bar import CoverageBar
from ui.elided_label import ElidedLabel
from ui.theme import font

MOST_ROWS = 40
_ONE_COLUMN = 8


class LayerTable(QWidget):
    """Made once for some shares; in two columns where there are many."""

    def __init__(self, shares: Sequence[Share], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Kinds of layer")
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        shown = shares[:MOST_ROWS]
        columns = 1 if len(shown) <= _ONE_COLUMN else 2
        rows = -(-len(shown) // columns)
        for index, share in enumerate(shown):
            self._add(share, index % rows, index // rows * 4)
        for column in range(columns):
            self._grid.setColumnStretch(column * 4, 3)
            self._grid.setColumnStretch(column * 4 + 1, 2)
            if column:
                self._grid.setColumnMinimumWidth(column * 4 - 1, 8)
        if len(shares) > len(shown):
            more = QLabel(f"and {len(shares) - len(shown)} more kinds; Copy has them all")
            more.setProperty("tone", "secondary")
            more.setProperty("px", "12")
            self._grid.addWidget(more, rows, 0, 1, -1)

    def _add(self, share: Share, row: int, column: int) -> None:
        name = ElidedLabel(share.name)
        name.setFont(font(12))
        bar = CoverageBar()
        bar.show_share(share.applied / max(1, share.of), "good" if share.applied == share.of else "look")
        count = QLabel(f"{share.applied} of {share.of}")
        count.setFont(font(12, is_tabular=True))
        count.setProperty("tone", "secondary" if share.applied == share.of else "look")
        for offset, widget in enumerate((name, bar, count)):
            self._grid.addWidget(widget, row, column + offset)
