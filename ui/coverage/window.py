"""The full list of what a LoRA file does to a model: counts, blocks, kinds of layer, reasons."""

from PySide6.QtCore import QRect, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QBoxLayout,
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from catalog.coverage import Coverage
from catalog.coverage_words import Tone, block_words, full_text, sentence, tally
from catalog.models import ModelInfo
from engine.gauge import Gauge
from ui.coverage.bar import CoverageBar
from ui.coverage.block_grid import BlockGrid
from ui.coverage.gauge_words import KEY, gauge_text, size_words
from ui.coverage.heat_map import HeatMap
from ui.coverage.layer_table import LayerTable
from ui.coverage.reasons import ReasonsText
from ui.elided_label import ElidedLabel
from ui.restyle import restyle
from ui.theme import font

_WIDTH, _MARGIN = 560, 16
_COPIED_MS = 1500


class CoverageWindow(QDialog):
    """Stays open beside the work; Escape closes it. Empty until `show_coverage` or `show_problem`."""

    def __init__(self, name: str, model: ModelInfo, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name, self._model = name, model
        self._coverage: Coverage | None = None
        self._refusal = ""
        self._gauge: Gauge | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"What applies – {name}")
        self._build_top()
        self._build_list()
        self._build_buttons()
        self._arrange()
        self._fit()

    @property
    def text(self) -> str:
        """What “Copy” copies."""
        if self._coverage is None:
            return f"{self._name} on {self._model.title}\n{self._summary.text()}\n"
        said = full_text(self._name, self._model.title, self._coverage, self._refusal)
        return said + gauge_text(self._gauge) if self._gauge else said

    def show_coverage(self, coverage: Coverage, refusal: str = "", gauge: Gauge | None = None) -> None:
        """Show how much of the file applies, and how large it is; `refusal` says why none of it can be used."""
        self._coverage, self._refusal, self._gauge = coverage, refusal, gauge or self._gauge
        count = tally(coverage, refusal)
        self._say(sentence(count), count.tone)
        self._bar.show_share(count.modules / max(1, count.of), count.tone)
        self._bar.setVisible(bool(count.of))
        if len(coverage.experts) < len(self._model.experts):
            only = "".join(f" · {expert}-noise expert only" for expert in coverage.experts)
            self._under.setText(f"on {self._model.title}{only}")
        if count.modules and coverage.blocks:
            words = block_words(coverage.blocks)
            grid = BlockGrid()
            grid.show_blocks(coverage.blocks, words)
            self._add("Blocks", words, grid)
        if count.modules and coverage.layers:
            self._add("Kinds of layer", "", LayerTable(coverage.layers))
        self._add_sizes()
        if coverage.warnings or coverage.ignored or coverage.errors:
            self._put(ReasonsText(coverage))
        self._list.addStretch(1)
        self._fit()

    def show_sizes(self, gauge: Gauge) -> None:
        """Show how large the file is of itself; a gauge on the model, which says more, stays."""
        if self._gauge is not None and self._gauge.norm is None:
            return
        self._gauge = gauge
        if self._coverage is not None:
            self._clear()
            self.show_coverage(self._coverage, self._refusal)

    def show_problem(self, problem: str) -> None:
        """Say why there is nothing to show."""
        self._say(problem, "refused")

    def copy(self) -> None:
        """Put everything on the clipboard as plain text."""
        QGuiApplication.clipboard().setText(self.text)
        self._copy.setText("Copied")
        QTimer.singleShot(_COPIED_MS, self._copy, lambda: self._copy.setText("Copy"))

    # Building

    def _build_top(self) -> None:
        self._title, self._under = ElidedLabel(self._name), ElidedLabel(f"on {self._model.title}")
        self._title.setFont(font(15, is_bold=True))
        self._under.setProperty("tone", "secondary")
        self._under.setProperty("px", "12")
        self._summary = QLabel("Reading the file…")
        self._summary.setTextFormat(Qt.TextFormat.PlainText)
        self._summary.setWordWrap(True)
        self._summary.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._bar = CoverageBar()
        self._bar.hide()

    def _build_list(self) -> None:
        inside = QWidget()
        self._list = QVBoxLayout(inside)
        self._list.setContentsMargins(_MARGIN, 0, _MARGIN, _MARGIN)
        self._list.setSpacing(4)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setAccessibleName("Blocks, kinds of layer and reasons")
        self._scroll.setToolTip("")
        self._scroll.setWidget(inside)

    def _build_buttons(self) -> None:
        self._copy = QPushButton("Copy")
        self._copy.setToolTip("Copy all of it as text, with the name of every key")
        self._copy.setAccessibleName("Copy what applies and what does not")
        self._copy.clicked.connect(self.copy)
        self._close = QPushButton("Close")
        self._close.setToolTip("Close (Escape)")
        self._close.setDefault(True)
        self._close.clicked.connect(self.close)

    def _arrange(self) -> None:
        self._top = top = QVBoxLayout()
        top.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, 12)
        top.setSpacing(4)
        for widget in (self._title, self._under, self._summary, self._bar):
            top.addWidget(widget)
        top.insertSpacing(2, 4)
        line = QFrame()
        line.setProperty("ground", "line")
        line.setFixedHeight(1)
        self._buttons = buttons = QHBoxLayout()
        buttons.setContentsMargins(_MARGIN, 8, _MARGIN, 12)
        buttons.setSpacing(8)
        buttons.addStretch(1)
        buttons.addWidget(self._copy)
        buttons.addWidget(self._close)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(self._scroll, 1)
        column.addWidget(line)
        column.addLayout(buttons)

    def _add_sizes(self) -> None:
        if self._gauge is not None and self._gauge.cells:
            self._add("How large it is", f"{size_words(self._gauge)} {KEY}", HeatMap(self._gauge))

    def _clear(self) -> None:
        while (item := self._list.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()

    def _add(self, title: str, words: str, body: QWidget) -> None:
        head = QLabel(title)
        head.setFont(font(12, is_bold=True))
        self._put(head)
        if words:
            said = QLabel(words)
            said.setProperty("tone", "secondary")
            said.setProperty("px", "12")
            said.setWordWrap(True)
            self._put(said)
        self._put(body)
        self._list.addSpacing(12)

    def _put(self, widget: QWidget) -> None:
        self._list.addWidget(widget)
        widget.show()  # a layout counts no child that it has yet to show

    def _say(self, words: str, tone: Tone) -> None:
        self._summary.setText(words)
        restyle(self._summary, "tone", tone)

    def _fit(self) -> None:
        """As high as its content, but never higher than the screen."""
        room = self.screen().availableSize()
        self.setMinimumWidth(min(400, room.width()))
        self.resize(min(_WIDTH, room.width()), self.height())
        self._list.setGeometry(QRect(0, 0, self.width(), self.height()))  # blocks wrap at their width
        wanted = sum(_height(box, self.width()) for box in (self._top, self._list, self._buttons)) + 16
        self.resize(self.width(), min(wanted, int(room.height() * 0.85)))


def _height(box: QBoxLayout, width: int) -> int:
    """What a layout needs at this width: wrapped sentences make it higher."""
    return box.totalHeightForWidth(width) if box.hasHeightForWidth() else box.totalSizeHint().height()
