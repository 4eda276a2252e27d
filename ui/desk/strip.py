"""One strip of the desk: its head, its faders and curves, and what should be said about it."""

from collections.abc import Callable

from PySide6.QtCore import QMimeData, QPoint, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QDrag,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QApplication, QFrame, QLabel, QVBoxLayout, QWidget

from engine.verdict import Verdict
from ui.desk.fader_pair import FaderPair
from ui.desk.group_caption import GroupCaption
from ui.desk.lane import Lane
from ui.desk.meter_notice import MeterNotice, set_to
from ui.desk.mime import STRIP_MIME
from ui.desk.notice import notice
from ui.desk.strip_header import StripHeader
from ui.restyle import restyle
from ui.state.automation import Automation
from ui.state.hearing import Hearing
from ui.state.mix import MixState
from ui.state.strip import StripState
from ui.theme import theme, watcher

TIP = "Delete removes the strip; Alt+Up and Alt+Down move it; drag it to another place"


class StripView(QFrame):
    """Shows one strip of a MixState and passes on what one does to it. `coverage_asked` names it when one
    wants to know what of its file applies, `audition_asked` when one wants to compare with and without it.
    """

    coverage_asked = Signal(str)
    audition_asked = Signal(str)

    def __init__(
        self,
        id: str,
        mix: MixState,
        hearing: Hearing,
        automation: Automation,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.id, self._mix, self._hearing, self._automation = id, mix, hearing, automation
        self._pressed: QPoint | None = None
        self._has_curves = False
        self.setProperty("ground", "raised")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setToolTip(TIP)
        self._build()
        self._arrange()
        self.refresh()
        self.refresh_hearing()
        watcher().changed.connect(self.refresh)

    def _build(self) -> None:
        self._group = GroupCaption()
        self._group.back.clicked.connect(self.remove)
        self._head = head = StripHeader()
        head.coverage.clicked.connect(lambda: self.coverage_asked.emit(self.id))
        head.mute.toggled.connect(lambda on: self._mix.set_muted(self.id, on))
        head.solo.toggled.connect(lambda on: self._mix.set_solo(self.id, on))
        head.audition.clicked.connect(self.audition)
        head.verdict.clicked.connect(self.audition)
        head.curves.toggled.connect(self._unfold)
        head.remove.clicked.connect(self.remove)
        self._faders = FaderPair(self.id, self._mix, self._hearing, self._automation)
        self.lane = Lane(self.id, self._mix, self._automation)
        self.lane.hide()
        self._notice = QLabel()
        self._notice.setTextFormat(Qt.TextFormat.PlainText)
        self._notice.setWordWrap(True)
        self._notice.setProperty("px", "12")
        self._numbers = MeterNotice()
        self._numbers.suggested.connect(self._take_suggestion)

    def _arrange(self) -> None:
        box = QVBoxLayout(self)
        box.setContentsMargins(12, 8, 8, 8)
        box.setSpacing(2)
        box.addWidget(self._group)
        box.addLayout(self._head)
        box.addLayout(self._faders)
        box.addWidget(self.lane)
        box.addWidget(self._notice)
        box.addWidget(self._numbers)

    # Showing

    def refresh(self) -> None:
        """Show the strip as the state has it."""
        strip = self._mix.strip(self.id)
        if strip is None:
            return
        self.setAccessibleName(f"Strip {strip.name}")
        self._head.refresh(strip)
        self._show_coverage(strip)
        first = next((s.id for s in self._mix.strips if s.group == strip.group), "")
        self._group.show_group(strip.group, first == self.id)
        is_news, self._has_curves = strip.has_curves and not self._has_curves, strip.has_curves
        if is_news:
            self.unfold()  # no curve is to play unseen
        self._faders.refresh(strip)
        self.refresh_hearing()
        self._fit()

    def _fit(self) -> None:
        """Be as high as the wrapped sentence needs: a scroll area does not ask for height by width."""
        layout = self.layout()
        if layout is not None:
            layout.activate()
            is_wrapped = layout.hasHeightForWidth()
            hint = layout.totalHeightForWidth(self.width()) if is_wrapped else layout.totalSizeHint().height()
            self.setFixedHeight(hint)
            layout.setGeometry(self.contentsRect())  # Qt forgets to while the strip is just being shown

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()

    def refresh_hearing(self) -> None:
        """Show what the run has heard of this strip."""
        strip = self._mix.strip(self.id)
        if strip is None:
            return
        self.lane.refresh(self._faders.refresh_hearing(strip))
        readings = {expert: self._hearing.reading(self.id, expert) for expert in self._faders.faders}
        if self._numbers.show_numbers(strip, self._mix.attachment(self.id).gauge, readings):
            self._fit()

    def show_verdict(self, verdict: Verdict | None) -> None:
        """Show what an audition found of the strip, or nothing."""
        strip = self._mix.strip(self.id)
        if strip is not None:
            self._head.verdict.show_verdict(strip.name, verdict)

    def _show_coverage(self, strip: StripState) -> None:
        """Say how much of the file applies, and what else should be said of it."""
        attachment = self._mix.attachment(self.id)
        waiting = "after this run" if self._hearing.is_running else "loading…"
        self._head.coverage.show_attachment(strip.name, attachment, waiting)
        replays = not strip.per_step or self._automation.replays(strip)
        tone, sentence = notice(strip, attachment, self._mix.model, replays)
        self._notice.setText(sentence)
        self._notice.setVisible(bool(sentence))
        restyle(self._notice, "tone", tone)

    def tab_chain(self) -> tuple[QWidget, ...]:
        """What Tab visits, in order."""
        return (
            self,
            self._group.back,
            *self._head.buttons,
            self._head.verdict,
            self._head.coverage,
            *self._faders.faders.values(),
            *self.lane.tab_chain(),
            self._numbers.button,
        )

    # Doing

    def unfold(self, is_open: bool = True) -> None:
        """Show the lane with the strip's curves, or fold it away."""
        self._head.curves.setChecked(is_open)

    def _unfold(self, is_open: bool) -> None:
        if not is_open and self.lane.hasFocus():
            self.setFocus()
        self.lane.setVisible(is_open)
        self.refresh()

    def audition(self) -> None:
        """Ask to compare the clip with this strip and without it."""
        self.audition_asked.emit(self.id)

    def remove(self) -> None:
        """Take the strip off the desk."""
        self._mix.remove(self.id)

    def _take_suggestion(self, strength: float) -> None:
        if strip := self._mix.strip(self.id):
            self._mix.change(f"{strip.name} strength", [set_to(strip, strength)])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        key = event.key()
        if key == Qt.Key.Key_Delete:
            self.remove()
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down) and is_alt:
            self._mix.step(self.id, 1 if key == Qt.Key.Key_Down else -1)
        elif (letter := self._letters().get(Qt.Key(key))) and not event.modifiers():
            letter()
        else:
            super().keyPressEvent(event)

    def _letters(self) -> dict[Qt.Key, Callable[[], None]]:
        return {
            Qt.Key.Key_M: self._head.mute.toggle,
            Qt.Key.Key_S: self._head.solo.toggle,
            Qt.Key.Key_A: self.audition,
            Qt.Key.Key_C: self._head.curves.toggle,
            Qt.Key.Key_F: lambda: self._mix.follow_curves(self.id),
        }

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed = event.position().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None:
            return
        way = (event.position().toPoint() - self._pressed).manhattanLength()
        if way >= QApplication.startDragDistance():
            self._drag(self._pressed)
            self._pressed = None

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pressed = None

    def _drag(self, hot_spot: QPoint) -> None:
        data = QMimeData()
        data.setData(STRIP_MIME, self.id.encode())
        drag = QDrag(self)
        drag.setMimeData(data)
        drag.setPixmap(self.grab())
        drag.setHotSpot(hot_spot)
        drag.exec(Qt.DropAction.MoveAction)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        strip = self._mix.strip(self.id)
        if strip is not None and strip.group:
            edge = QPainter(self)
            edge.fillRect(0, 8, 3, self.height() - 16, QColor(theme().accent))
            edge.end()
        if self.hasFocus():
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(theme().accent), 1.5))
            painter.drawRoundedRect(self.rect().toRectF().adjusted(0.75, 0.75, -0.75, -0.75), 8, 8)
