"""Where the clips of a grid are: beside each other, in the room there is."""

from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPointF, QRectF, QSizeF

from ui.grid.sheet import Sheet, fitted

counts = st.integers(1, 8)
sizes = st.builds(QSizeF, st.integers(64, 1280), st.integers(64, 1280))
LEAST = 80.0


@given(counts, counts, sizes, st.sampled_from([0.0, 40.0, 160.0]), st.floats(1.0, 3.0))
def test_nothing_overlaps_and_all_is_on_the_sheet(
    rows: int, columns: int, cell: QSizeF, beside: float, unit: float
) -> None:
    sheet = Sheet(rows, columns, cell, beside, unit)
    page = QRectF(QPointF(0, 0), sheet.size)
    clips = [sheet.area(row, column) for row in range(rows) for column in range(columns)]
    labels = [sheet.column_label(column) for column in range(columns)] + [sheet.columns_title]
    if beside:
        labels += [sheet.row_label(row) for row in range(rows)] + [sheet.rows_title]
    areas = clips + labels
    assert all(page.contains(area) for area in areas)
    assert not any(a.intersects(b) for i, a in enumerate(areas) for b in areas[:i])
    assert all(float(number).is_integer() for area in clips for number in (area.x(), area.y()))
    assert [sheet.place_at(area.center()) for area in clips] == list(range(len(clips)))


@given(counts, counts, sizes, sizes)
def test_clips_fit_the_room_unless_they_would_be_too_small(
    rows: int, columns: int, picture: QSizeF, room: QSizeF
) -> None:
    sheet = fitted(rows, columns, picture, 60.0, room, LEAST)
    assert sheet.cell.width() >= LEAST
    if sheet.cell.width() > LEAST:
        corner = sheet.area(rows - 1, columns - 1).bottomRight()
        assert corner.x() <= room.width() and corner.y() <= room.height() + rows
    assert abs(sheet.cell.height() - sheet.cell.width() * picture.height() / picture.width()) <= 1
