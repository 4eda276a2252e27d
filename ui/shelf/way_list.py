"""The ways to have a model, one under the other: what it is, how much of it is here, how large it is."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QRadioButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from catalog.download import size_words
from ui.shelf.order import Order
from ui.shelf.words import here_words, way_title
from ui.theme import font

_SIZE = 84


class WayList(QScrollArea):
    """Says by `chosen` that another way was chosen; `order` is the one."""

    chosen = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Ways to have the model")
        self.rows: list[WayRow] = []
        self._group = QButtonGroup(self)
        self._inner = QWidget()
        self._box = QVBoxLayout(self._inner)
        self._box.setContentsMargins(0, 0, 8, 0)
        self._box.setSpacing(4)
        self.setWidget(self._inner)

    @property
    def order(self) -> Order | None:
        """What is chosen."""
        return next((row.order for row in self.rows if row.button.isChecked()), None)

    def show_orders(self, orders: Sequence[Order], is_named: bool = False) -> None:
        """Offer these; the choice stays where the same way is offered again."""
        if list(orders) != [row.order for row in self.rows]:
            before = self.order
            self._clear()
            for order in orders:
                self._add(order, is_named)
            kept = [row for row in self.rows if before and _alike(row.order, before)]
            if self.rows:
                (kept or self.rows)[0].button.setChecked(True)
        for row in self.rows:
            row.refresh()
        heights = [row.sizeHint().height() + self._box.spacing() for row in self.rows]
        self.setMaximumHeight(sum(heights) + 2)  # what is said of them follows at once

    def _add(self, order: Order, is_named: bool) -> None:
        row = WayRow(order, is_named)
        self._group.addButton(row.button)
        row.button.clicked.connect(self.chosen)
        self._box.insertWidget(len(self.rows), row)
        self.rows.append(row)

    def _clear(self) -> None:
        for row in self.rows:
            self._group.removeButton(row.button)
            row.hide()
            row.deleteLater()
        self.rows = []


class WayRow(QFrame):
    """One way."""

    def __init__(self, order: Order, is_named: bool) -> None:
        super().__init__()
        self.order = order
        self.setProperty("ground", "panel")
        title = way_title(order.way, is_named)
        self.button = QRadioButton(title)
        self.button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.button.setToolTip(f"{title}\nfrom {', '.join(order.way.repositories)}")
        self.here = QLabel()
        size = QLabel(size_words(order.way.size))
        for label in (self.here, size):
            label.setFont(font(12, is_tabular=True))
            label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        size.setProperty("tone", "secondary")
        size.setFixedWidth(_SIZE)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 12, 6)
        row.setSpacing(8)
        row.addWidget(self.button, 1)
        row.addWidget(self.here)
        row.addWidget(size)

    def refresh(self) -> None:
        """Look how much of it is here."""
        words = here_words(self.order)
        self.here.setText(words)
        self.here.setProperty("tone", "good" if words == "here" else "secondary")
        self.here.style().polish(self.here)
        self.button.setAccessibleName(", ".join(filter(None, (self.button.text(), words))))


def _alike(order: Order, other: Order) -> bool:
    return (order.way.kind, order.way.numbers, order.way.row) == (
        other.way.kind,
        other.way.numbers,
        other.way.row,
    )
