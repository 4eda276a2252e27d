"""Where the cells and labels of a grid are, for the window and for the exported video."""

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSizeF

LINE = 22.0
"""A line of labels; all measures are in pixels of the window, times `unit`."""
GAP = 6.0
MARGIN = 8.0


@dataclass(frozen=True, slots=True)
class Sheet:
    """Cells of one size in rows and columns, below two lines of labels and right of the rows' labels."""

    rows: int
    columns: int
    cell: QSizeF
    beside: float
    """The width of the rows' labels; 0 where there are none."""
    unit: float = 1.0
    x: float = 0.0
    y: float = 0.0

    @property
    def left(self) -> float:
        """Where the first column begins."""
        return self.x + round((MARGIN + (self.beside + GAP if self.beside else 0.0)) * self.unit)

    @property
    def top(self) -> float:
        """Where the first row begins."""
        return self.y + round((MARGIN + 2 * LINE) * self.unit)

    @property
    def size(self) -> QSizeF:
        """All of it, with a margin around."""
        margin = round(MARGIN * self.unit)
        width = self.left - self.x + self.columns * (self.cell.width() + self.gap) - self.gap + margin
        height = self.top - self.y + self.rows * (self.cell.height() + self.gap) - self.gap + margin
        return QSizeF(width, height)

    @property
    def gap(self) -> float:
        """Between clips; whole pixels, as all that says where a clip is."""
        return float(round(GAP * self.unit))

    def area(self, row: int, column: int) -> QRectF:
        """Where a clip is."""
        x = self.left + column * (self.cell.width() + self.gap)
        return QRectF(QPointF(x, self.top + row * (self.cell.height() + self.gap)), self.cell)

    def column_label(self, column: int) -> QRectF:
        """Where the value of a column is."""
        area, line = self.area(0, column), LINE * self.unit
        return QRectF(area.x(), self.top - line, area.width(), line)

    def row_label(self, row: int) -> QRectF:
        """Where the value of a row is."""
        area = self.area(row, 0)
        return QRectF(self.x + MARGIN * self.unit, area.y(), self.beside * self.unit, area.height())

    @property
    def columns_title(self) -> QRectF:
        """Where it says what the columns are."""
        return QRectF(self.left, self.top - 2 * LINE * self.unit, self._across, LINE * self.unit)

    @property
    def rows_title(self) -> QRectF:
        """Where it says what the rows are."""
        line = LINE * self.unit
        return QRectF(self.x + MARGIN * self.unit, self.top - line, self.beside * self.unit, line)

    def place_at(self, point: QPointF) -> int | None:
        """Which cell is there, counted row by row."""
        for place in range(self.rows * self.columns):
            if self.area(*divmod(place, self.columns)).contains(point):
                return place
        return None

    @property
    def _across(self) -> float:
        return self.area(0, self.columns - 1).right() - self.left


def fitted(rows: int, columns: int, picture: QSizeF, beside: float, room: QSizeF, least: float) -> Sheet:
    """The largest sheet of clips in the shape of `picture` in the room, in its middle; none is narrower than
    `least`.
    """
    bare = Sheet(rows, columns, QSizeF(0, 0), beside).size
    shape = picture.width() / picture.height()
    width = min((room.width() - bare.width()) / columns, (room.height() - bare.height()) / rows * shape)
    width = float(int(max(width, least)))
    sheet = Sheet(rows, columns, QSizeF(width, round(width / shape)), beside)
    over = room - sheet.size
    x, y = max(int(over.width() / 2), 0), max(int(over.height() / 2), 0)
    return Sheet(rows, columns, sheet.cell, beside, 1.0, x, y)
