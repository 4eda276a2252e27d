"""The clips of a grid in step with each other, with labels; one of them is chosen."""

from time import monotonic

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from ui.grid.paint import Look, Moment, paint_cell, paint_labels, width_beside
from ui.grid.sheet import Sheet, fitted
from ui.stage.playback import Playback
from ui.state.grid import GridState
from ui.theme import font, theme, watcher

LEAST = 80.0
"""A clip's least width; where they do not fit, the view is scrolled."""
ZOOMS = (1.0, 1.5, 2.0, 3.0, 4.0)
TIP = "Click to choose a clip; double-click or Enter takes its strengths; Space plays; + and − for the size"
_ARROWS = {
    Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0),
}  # fmt: skip


class GridView(QWidget):
    """Shows a GridState at the moment of a playback; needs a QScrollArea around it that resizes it.

    `chosen` says that another cell is chosen, `taken` that its strengths are wanted on the desk.
    """

    chosen = Signal(int)
    taken = Signal(int)
    revealed = Signal(QRect)
    """Where the chosen cell is, to be scrolled into view."""

    def __init__(self, state: GridState, playback: Playback) -> None:
        super().__init__()
        self._state, self._playback = state, playback
        self.place = 0
        """The cell that is chosen."""
        self._zoom = ZOOMS[0]
        self._sheet: Sheet | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Clips of the grid")
        self._paint_seconds = self._painted = 0.0
        playback.frame_changed.connect(self._on_frame)
        state.cell_changed.connect(self._on_cell_changed)
        watcher().changed.connect(self.update)

    def show_grid(self) -> None:
        """Another grid is there."""
        self.place = 0
        self._lay_out()
        self._describe()
        self.update()

    def choose(self, place: int) -> None:
        """Choose a cell and bring it into view."""
        if not 0 <= place < len(self._state.cells):
            return
        self.place = place
        if self._sheet is not None:
            area = self._sheet.area(*divmod(place, self._sheet.columns))
            self.revealed.emit(area.toAlignedRect())
        self._describe()
        self.chosen.emit(place)
        self.update()

    @property
    def sheet(self) -> Sheet | None:
        """Where everything is; None without a grid."""
        return self._sheet

    @property
    def margins(self) -> tuple[int, int]:
        """How much the labels cover at the left and at the top where the view is scrolled."""
        return (
            (int(self._sheet.left - self._sheet.x), int(self._sheet.top - self._sheet.y))
            if self._sheet
            else (0, 0)
        )

    @property
    def look(self) -> Look:
        """How it is painted now."""
        return Look(theme(), font(12, is_tabular=True), font(12, is_bold=True))

    # Arranging

    @property
    def _picture(self) -> QSizeF:
        grid = self._state.grid
        return QSizeF(grid.recipe.width or 1, grid.recipe.height or 1) if grid else QSizeF(1, 1)

    def _lay_out(self) -> None:
        grid = self._state.grid
        if grid is None:
            self._sheet = None
            return
        (rows, columns), beside = grid.shape, width_beside(grid, self.look)
        least = min(LEAST, 2 * self._picture.width()) * self._zoom
        smallest = fitted(rows, columns, self._picture, beside, QSizeF(0, 0), least)
        self.setMinimumSize(smallest.size.toSize() + QSize(1, 1))
        self._sheet = fitted(rows, columns, self._picture, beside, QSizeF(self.size()), least)

    def zoom(self, places: int) -> None:
        """Show the clips larger or smaller than they fit in at first."""
        place = min(max(ZOOMS.index(self._zoom) + places, 0), len(ZOOMS) - 1)
        self._zoom = ZOOMS[place]
        self._lay_out()
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._lay_out()

    def _on_cell_changed(self, place: int) -> None:
        if place == self.place:
            self._describe()
        if self._sheet is not None and place < self._sheet.rows * self._sheet.columns:
            area = self._sheet.area(*divmod(place, self._sheet.columns))
            self.update(area.toAlignedRect().adjusted(-2, -2, 2, 2))

    def _on_frame(self) -> None:
        """Show the next frame, or leave it out where painting takes so long that faders would wait for it."""
        if not self._playback.is_playing or monotonic() - self._painted > 2 * self._paint_seconds:
            self._painted = monotonic()
            self.update()

    def _describe(self) -> None:
        if self.place < len(self._state.cells):
            state = self._state.cells[self.place]
            self.setAccessibleDescription(f"{state.name}. {state.words}")

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, look, begun = QPainter(self), self.look, monotonic()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(event.rect(), QColor(look.theme.background))
        sheet, grid = self._sheet, self._state.grid
        if sheet is None or grid is None:
            painter.end()
            return
        moment, visible = self.moment, QRectF(event.rect())
        for place, state in enumerate(self._state.cells):
            area = sheet.area(*divmod(place, sheet.columns))
            if area.intersects(visible):
                paint_cell(painter, area, state, moment, look)
        self._paint_choice(painter, sheet, look)
        paint_labels(painter, sheet, grid, look, QPointF(self.visibleRegion().boundingRect().topLeft()))
        painter.end()
        self._paint_seconds = monotonic() - begun

    @property
    def moment(self) -> Moment:
        """Where in the clips the playback is; in their middle while there is none."""
        return (self._playback.frame, self._playback.count) if self._playback.count else (1, 2)

    def _paint_choice(self, painter: QPainter, sheet: Sheet, look: Look) -> None:
        colour = look.theme.accent if self.hasFocus() else look.theme.secondary
        painter.setPen(QPen(QColor(colour), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(sheet.area(*divmod(self.place, sheet.columns)).adjusted(-2, -2, 2, 2))

    # Mouse and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if (place := self._at(event.position())) is not None:
            self.choose(place)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if (place := self._at(event.position())) is not None:
            self.taken.emit(place)

    def _at(self, point: QPointF) -> int | None:
        return self._sheet.place_at(point) if self._sheet else None

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            place = self._at(QPointF(event.pos()))
            state = self._state.cells[place] if place is not None else None
            QToolTip.showText(
                event.globalPos(), f"{state.name}\n{state.words}\n\n{TIP}" if state else "", self
            )
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, sheet = Qt.Key(event.key()), self._sheet
        if sheet is None:
            super().keyPressEvent(event)
        elif key in _ARROWS:
            self._move(sheet, *_ARROWS[key])
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.choose(0 if key == Qt.Key.Key_Home else len(self._state.cells) - 1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.taken.emit(self.place)
        elif key == Qt.Key.Key_Space:
            self._playback.toggle()
        elif key in (Qt.Key.Key_Comma, Qt.Key.Key_Period):
            self._playback.step(1 if key == Qt.Key.Key_Period else -1)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self.zoom(-1 if key == Qt.Key.Key_Minus else 1)
        else:
            super().keyPressEvent(event)

    def _move(self, sheet: Sheet, down: int, right: int) -> None:
        row, column = divmod(self.place, sheet.columns)
        row, column = min(max(row + down, 0), sheet.rows - 1), min(max(column + right, 0), sheet.columns - 1)
        self.choose(row * sheet.columns + column)
