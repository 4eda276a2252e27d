"""How a card looks: a picture made from the file's hash, letters, name, what it is, kind, size, coverage."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QLinearGradient, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from catalog.coverage_words import Tally, short
from ui.browser.cards import ENTRY_ROLE, TALLY_ROLE
from ui.browser.words import is_suspect, kind_line, letters, what_line
from ui.coverage.bar import HEIGHT as BAR
from ui.coverage.bar import paint_bar
from ui.eliding import elided
from ui.theme import font, theme

if TYPE_CHECKING:
    from catalog.library import Entry

GAP = 8
TEXT_HEIGHT = 88


def picture_height(width: float) -> float:
    """How high the picture of a card of this width is."""
    return max(48.0, min(104.0, round(width * 0.6 / 4) * 4))


class CardDelegate(QStyledItemDelegate):
    """Paints one entry in its grid cell; half a gap stays free at each side."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return option.rect.size()

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        entry: Entry = index.data(ENTRY_ROLE)
        rect = QRectF(option.rect).adjusted(GAP / 2, GAP / 2, -GAP / 2, -GAP / 2)
        state: QStyle.StateFlag = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        _ground(painter, rect, state)
        top = QRectF(rect.left(), rect.top(), rect.width(), picture_height(rect.width()))
        _picture(painter, top, entry)
        _letters(painter, top, letters(entry))
        _text(painter, rect.adjusted(8, top.height() + 6, -8, -6), entry)
        if tally := index.data(TALLY_ROLE):
            _coverage(painter, rect.adjusted(8, 0, -8, -8), tally)
        _outline(painter, rect, state)
        painter.restore()


def _ground(painter: QPainter, rect: QRectF, state: QStyle.StateFlag) -> None:
    is_hot = bool(state & QStyle.StateFlag.State_MouseOver)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme().hover if is_hot else theme().raised))
    painter.drawRoundedRect(rect, 8, 8)


def _outline(painter: QPainter, rect: QRectF, state: QStyle.StateFlag) -> None:
    if state & QStyle.StateFlag.State_Selected:
        has_focus = bool(state & QStyle.StateFlag.State_HasFocus)
        painter.setPen(QPen(QColor(theme().accent), 2 if has_focus else 1.25))
    elif not theme().is_dark:
        painter.setPen(QPen(QColor(theme().line), 1))
    else:
        return
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)


def _picture(painter: QPainter, rect: QRectF, entry: Entry) -> None:
    """Two colours and a disc drawn from the hash: the same file looks the same everywhere."""
    path = QPainterPath()
    path.addRoundedRect(rect, 8, 8)
    path.addRect(rect.adjusted(0, 8, 0, 0))
    path.setFillRule(Qt.FillRule.WindingFill)
    if entry.identity is None:
        painter.fillPath(path, QColor(theme().line))
        return
    seed = hashlib.sha256(entry.name.encode("utf-8", "replace")).digest()
    hue, turn = seed[0] / 256, 0.08 + seed[1] / 256 * 0.2
    gradient = QLinearGradient(rect.topLeft(), rect.bottomRight())
    is_dark = theme().is_dark
    gradient.setColorAt(0, QColor.fromHslF(hue, 0.42, 0.42 if is_dark else 0.62))
    gradient.setColorAt(1, QColor.fromHslF((hue + turn) % 1, 0.5, 0.2 if is_dark else 0.42))
    painter.fillPath(path, gradient)
    x = rect.left() + rect.width() * (0.45 + seed[2] / 256 * 0.3)
    y = rect.top() + rect.height() * (0.4 + seed[3] / 256 * 0.3)
    painter.setBrush(QColor(255, 255, 255, 130))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawEllipse(QPointF(x, y), 11, 11)


def _letters(painter: QPainter, rect: QRectF, marks: str) -> None:
    grounds = {"H": theme().high, "L": theme().low, "!": theme().refused}
    painter.setFont(font(11, is_bold=True))
    for number, mark in enumerate(marks):
        badge = QRectF(rect.left() + 8 + number * 20, rect.top() + 8, 16, 16)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(grounds[mark]))
        painter.drawRoundedRect(badge, 4, 4)
        painter.setPen(QColor("#15171C" if theme().is_dark else "#FFFFFF"))
        painter.drawText(badge, int(Qt.AlignmentFlag.AlignCenter), mark)


def _text(painter: QPainter, rect: QRectF, entry: Entry) -> None:
    is_usable = entry.identity is not None
    name = theme().text if is_usable else theme().secondary
    what = theme().refused if is_suspect(entry) else theme().secondary
    lines = (
        (entry.name, font(13, is_bold=True), name, Qt.TextElideMode.ElideMiddle, 18),
        (_family(entry), font(12), what, Qt.TextElideMode.ElideRight, 18),
        (kind_line(entry), font(11), theme().secondary, Qt.TextElideMode.ElideRight, 16),
    )
    top = rect.top()
    for text, type_face, colour, mode, height in lines:
        _line(painter, QRectF(rect.left(), top, rect.width(), height), text, type_face, colour, mode)
        top += height


def _coverage(painter: QPainter, rect: QRectF, tally: Tally) -> None:
    """At the bottom: a few words, and under them the bar."""
    bar = QRectF(rect.left(), rect.bottom() - BAR, rect.width(), BAR)
    paint_bar(painter, bar, tally.modules / max(1, tally.of), tally.tone)
    words = QRectF(rect.left(), bar.top() - 18, rect.width(), 16)
    colour = theme().secondary if tally.tone == "good" else getattr(theme(), tally.tone)
    _line(painter, words, short(tally), font(11, is_tabular=True), colour, Qt.TextElideMode.ElideRight)


def _family(entry: Entry) -> str:
    """The short form of what it is; the details have the whole sentence."""
    return entry.identity.family.split(" (")[0] if entry.identity else what_line(entry)


def _line(
    painter: QPainter, rect: QRectF, text: str, type_face: QFont, colour: str, mode: Qt.TextElideMode
) -> None:
    painter.setFont(type_face)
    painter.setPen(QColor(colour))
    shown = elided(text, type_face, rect.width(), mode)
    painter.drawText(rect, int(Qt.AlignmentFlag.AlignVCenter), shown)
