"""A slot: one place for a picture, with what is in it."""

import itertools
from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFontMetrics,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QAbstractButton, QFileDialog, QHBoxLayout, QPushButton, QWidget

from ui.eliding import elided
from ui.inputs import thumbnail, words
from ui.inputs.slot_menu import slot_menu
from ui.stage.icon_button import IconButton
from ui.state.input_places import Place
from ui.state.inputs import InputState
from ui.theme import font, icon, theme, watcher

HEIGHT = 44
_WIDTH, _SMALL = 236, 56
_PICTURE, _PLUS = 60, 32
_MARGIN = 4
_RADIUS = 6.0


class Slot(QAbstractButton):
    """Click or Enter chooses a file, or opens the menu of the one that is there; Delete removes it.

    A small one, for a reference image, is the picture alone.
    """

    def __init__(self, inputs: InputState, place: Place, parent: QWidget) -> None:
        super().__init__(parent)
        self.place, self._inputs = place, inputs
        self.is_small = place.field == "reference_images"
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.fit = QPushButton()
        self.remove = IconButton("close", f"Remove the {place.title.lower()}", "")
        self._arrange()
        self.clicked.connect(self.open)
        self.fit.clicked.connect(self.turn_fit)
        self.remove.clicked.connect(self.clear)
        inputs.changed.connect(self.refresh)
        watcher().changed.connect(self.update)
        self.refresh()

    def _arrange(self) -> None:
        self.fit.setProperty("quiet", True)
        self.fit.setFont(font(11))
        self.fit.setStyleSheet("QPushButton { padding: 1px 6px; min-height: 16px; }")
        self.fit.setCursor(Qt.CursorShape.ArrowCursor)
        self.remove.setProperty("compact", True)
        self.remove.setFixedSize(20, 20)
        self.remove.setIconSize(QSize(12, 12))
        self.remove.setCursor(Qt.CursorShape.ArrowCursor)
        self.remove.setToolTip(f"Remove the {self.place.title.lower()} (Delete); its file stays")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 6, 0)
        row.setSpacing(2)
        row.addStretch(1)
        row.addWidget(self.fit)
        row.addWidget(self.remove)

    def sizeHint(self) -> QSize:
        if self.is_small or self.is_filled:
            return QSize(_SMALL if self.is_small else _WIDTH, HEIGHT)
        said = (self.place.title, words.name_of(self._inputs, self.place))
        wide = max(QFontMetrics(font(12)).horizontalAdvance(text) for text in said)
        return QSize(_MARGIN + _PLUS + wide + 12, HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    @property
    def is_filled(self) -> bool:
        """Whether there is something in it."""
        return self._inputs.picture(self.place) is not None

    # What one does

    def open(self) -> None:
        """Choose a file, or show what can be done with the one that is there."""
        if self.is_filled:
            self.open_menu(self.mapToGlobal(QPoint(0, self.height() + 2)))
        else:
            self.choose()

    def choose(self) -> None:
        """Ask for a file."""
        picture = self._inputs.picture(self.place)
        start = str(Path(picture.file).parent) if picture else ""
        endings = " ".join(f"*{suffix}" for suffix in self.place.suffixes)
        kind = "Clips" if self.place.field == "control_video" else "Pictures and clips"
        title = f"Choose the {self.place.title.lower()}"
        name, _ = QFileDialog.getOpenFileName(self, title, start, f"{kind} ({endings})")
        if name:
            self._inputs.put(Path(name), self.place)

    def open_menu(self, where: QPoint) -> None:
        """Show what can be done, at a place of the screen."""
        slot_menu(self, self._inputs).popup(where)

    def turn_fit(self) -> None:
        """From cropped to padded, and back."""
        picture = self._inputs.picture(self.place)
        if picture is not None:
            self._inputs.set_fit(self.place, "pad" if picture.fit == "crop" else "crop")

    def clear(self) -> None:
        """Remove what is there; the focus stays."""
        if self.is_filled:
            self.setFocus()
            self._inputs.remove(self.place)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self.open()
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.clear()
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.open_menu(event.globalPos())

    # How it looks

    def refresh(self) -> None:
        """Show what is there now."""
        inputs, place = self._inputs, self.place
        picture = inputs.picture(place)
        has_choice = picture is not None and not self.is_small and inputs.has_other_shape(place)
        had_focus = self.fit.hasFocus() or self.remove.hasFocus()
        self.fit.setVisible(has_choice)
        self.remove.setVisible(picture is not None and not self.is_small)
        if had_focus and not (self.fit.hasFocus() or self.remove.hasFocus()):
            self.setFocus()
        is_crop = picture is None or picture.fit == "crop"
        self.fit.setText("Crop" if is_crop else "Pad")
        does = "Its edges are cut off" if is_crop else "Empty edges are added"
        self.fit.setToolTip(f"{does} to make it {inputs.size[0]} × {inputs.size[1]}. Click to change.")
        self.fit.setAccessibleName(f"{place.title}: {self.fit.text().lower()}")
        self.setAccessibleName(words.accessible(inputs, place))
        self.setToolTip(words.tool_tip(inputs, place))
        self.updateGeometry()  # an empty slot is as wide as its words
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        self._paint_ground(painter)
        area = QRectF(_MARGIN, _MARGIN, self._picture_width, self.height() - 2 * _MARGIN)
        self._paint_picture(painter, area)
        if not self.is_small:
            self._paint_words(painter)
        painter.end()

    @property
    def _picture_width(self) -> int:
        if self.is_small:
            return self.width() - 2 * _MARGIN
        return _PICTURE if self.is_filled else _PLUS

    def _paint_ground(self, painter: QPainter) -> None:
        colours = theme()
        pen = QPen(QColor(colours.line if self.is_filled else colours.faint))
        if not self.is_filled:
            pen.setStyle(Qt.PenStyle.DashLine)
            if self._inputs.is_needed(self.place):
                pen.setColor(QColor(colours.look))
        if self.hasFocus():
            pen.setColor(QColor(colours.accent))
        painter.setPen(pen)
        painter.setBrush(QColor(colours.hover if self.underMouse() else colours.panel))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), _RADIUS, _RADIUS)

    def _paint_picture(self, painter: QPainter, area: QRectF) -> None:
        picture, look = self._inputs.picture(self.place), self._inputs.look(self.place)
        if picture is None:
            self._paint_icon(painter, area, "plus", theme().secondary)
        elif look is None:
            thumbnail.paint_blank(painter, thumbnail.frame_in(area, self._inputs.size))
        elif look.problem:
            self._paint_icon(painter, area, "refused", theme().refused)
        else:
            frame = thumbnail.frame_in(area, self._inputs.size)
            thumbnail.paint(painter, frame, look.image, picture.fit)

    def _paint_icon(self, painter: QPainter, area: QRectF, name: str, colour: str) -> None:
        square = QRect(0, 0, 16, 16)
        square.moveCenter(area.center().toPoint())
        icon(name, colour).paint(painter, square)

    def _paint_words(self, painter: QPainter) -> None:
        left = _MARGIN + self._picture_width + (8 if self.is_filled else 0)
        first = next((each for each in (self.fit, self.remove) if each.isVisibleTo(self)), None)
        room = (first.x() - 4 if first else self.width() - 8) - left
        problem = words.problem_of(self._inputs, self.place)
        below = words.brief(problem) if problem else words.name_of(self._inputs, self.place)
        is_wanted = not self.is_filled and self._inputs.is_needed(self.place)
        colours = theme()
        tone = colours.refused if problem else colours.look if is_wanted else colours.secondary
        self._paint_line(painter, QRect(left, 5, room, 17), self.place.title, colours.text, 12)
        self._paint_line(painter, QRect(left, 22, room, 16), below, tone, 11)

    def _paint_line(self, painter: QPainter, area: QRect, text: str, colour: str, size: int) -> None:
        painter.setFont(font(size))
        painter.setPen(QColor(colour))
        shown = elided(text, painter.font(), area.width())
        painter.drawText(area, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), shown)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self.update()  # the words make room for the buttons
        return super().event(event)


def neighbours(slots: list[Slot]) -> None:
    """Tab goes through the slots in their order, each with its buttons."""
    controls: list[QWidget] = [part for slot in slots for part in (slot, slot.fit, slot.remove)]
    for before, after in itertools.pairwise(controls):
        QWidget.setTabOrder(before, after)
