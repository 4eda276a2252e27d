"""One strip of the desk: a LoRA's name, its buttons, its faders, and what should be said about it."""

from collections.abc import Callable
from functools import partial

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
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from catalog.models import Expert
from engine.verdict import Verdict
from ui.desk.coverage_badge import CoverageBadge
from ui.desk.fader import Fader
from ui.desk.group_caption import GroupCaption
from ui.desk.lane import Lane
from ui.desk.meter_notice import MeterNotice, set_to
from ui.desk.mime import STRIP_MIME
from ui.desk.notice import notice
from ui.desk.verdict_chip import VerdictChip
from ui.elided_label import ElidedLabel
from ui.state.automation import Automation
from ui.state.hearing import Hearing
from ui.state.mix import MixState
from ui.state.strip import any_solo
from ui.theme import font, icon, theme, watcher

TIP = "Delete removes the strip; Alt+Up and Alt+Down move it; drag it to another place"
CURVES_TIP = "Curves of strength over the run (C)"
AUDITION_TIP = "Audition: the clip with this strip and without it (A)"


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
        self._faders: dict[Expert, Fader] = {}
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
        self._name = ElidedLabel()
        self._name.setFont(font(13, is_bold=True))
        self._what = ElidedLabel(mode=Qt.TextElideMode.ElideRight)
        self._what.setProperty("tone", "secondary")
        self._what.setProperty("px", "11")
        self._coverage = CoverageBadge()
        self._coverage.clicked.connect(lambda: self.coverage_asked.emit(self.id))
        self._mute = _letter("M", "Mute (M)")
        self._mute.toggled.connect(lambda on: self._mix.set_muted(self.id, on))
        self._solo = _letter("S", "Solo: only solo strips are heard (S)")
        self._solo.toggled.connect(lambda on: self._mix.set_solo(self.id, on))
        self._audition = _small("A/B", AUDITION_TIP)
        self._audition.clicked.connect(self.audition)
        self._verdict = VerdictChip()
        self._verdict.clicked.connect(self.audition)
        self._curves = QToolButton()
        self._curves.setCheckable(True)
        self._curves.setProperty("compact", "true")
        self._curves.setToolTip(CURVES_TIP)
        self._curves.setFixedSize(28, 24)
        self._curves.toggled.connect(self._unfold)
        self.lane = Lane(self.id, self._mix, self._automation)
        self.lane.hide()
        self._remove = QToolButton()
        self._remove.setProperty("quiet", "true")
        self._remove.setToolTip("Take off the desk (Delete)")
        self._remove.clicked.connect(self.remove)
        self._notice = QLabel()
        self._notice.setTextFormat(Qt.TextFormat.PlainText)
        self._notice.setWordWrap(True)
        self._notice.setProperty("px", "12")
        self._numbers = MeterNotice()
        self._numbers.suggested.connect(self._take_suggestion)

    def _arrange(self) -> None:
        top, under = QHBoxLayout(), QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self._name, 1)
        for button in (self._curves, self._audition, self._mute, self._solo, self._remove):
            top.addWidget(button)
        under.setSpacing(8)
        under.addWidget(self._what, 1)
        under.addWidget(self._verdict)
        under.addWidget(self._coverage)
        self._fader_box = QVBoxLayout()
        self._fader_box.setSpacing(0)
        self._fader_box.setContentsMargins(0, 8, 0, 0)
        box = QVBoxLayout(self)
        box.setContentsMargins(12, 8, 8, 8)
        box.setSpacing(2)
        box.addWidget(self._group)
        box.addLayout(top)
        box.addLayout(under)
        box.addLayout(self._fader_box)
        box.addWidget(self.lane)
        box.addWidget(self._notice)
        box.addWidget(self._numbers)

    # Showing

    def refresh(self) -> None:
        """Show the strip as the state has it."""
        strip = self._mix.strip(self.id)
        if strip is None:
            return
        self._show_words()
        for button, is_on in ((self._mute, strip.is_muted), (self._solo, strip.is_solo)):
            button.blockSignals(True)
            button.setChecked(is_on)
            button.blockSignals(False)
        self._remove.setIcon(icon("close", theme().secondary))
        first = next((s.id for s in self._mix.strips if s.group == strip.group), "")
        self._group.show_group(strip.group, first == self.id)
        self._solo.setVisible(not strip.group)
        self._show_curves(strip.high_curve is not None or strip.low_curve is not None)
        self._show_faders()
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
        is_silent = strip.is_silent(any_solo(self._mix.strips))
        is_silent |= self._mix.attachment(self.id).status == "refused"
        for expert, fader in self._faders.items():
            applied = self._hearing.applied(self.id, expert)
            fader.show_hearing(self._hearing.is_heard(self.id, expert), applied, is_silent)
            fader.show_strength(self._automation.strength(strip, expert))
            fader.show_meter(self._hearing.reading(self.id, expert))
        self.lane.refresh(is_silent)
        readings = {expert: self._hearing.reading(self.id, expert) for expert in self._faders}
        if self._numbers.show_numbers(strip, self._mix.attachment(self.id).gauge, readings):
            self._fit()

    def show_verdict(self, verdict: Verdict | None) -> None:
        """Show what an audition found of the strip, or nothing."""
        strip = self._mix.strip(self.id)
        if strip is not None:
            self._verdict.show_verdict(strip.name, verdict)

    def _show_words(self) -> None:
        strip, attachment = self._mix.strip(self.id), self._mix.attachment(self.id)
        assert strip is not None
        identity = strip.entry.identity if strip.entry else None
        self._name.setText(strip.name)
        self._what.setText(identity.summary if identity else str(strip.path.name))
        waiting = "after this run" if self._hearing.is_running else "loading…"
        self._coverage.show_attachment(strip.name, attachment, waiting)
        tone, sentence = notice(strip, attachment, self._mix.model)
        self._notice.setText(sentence)
        self._notice.setVisible(bool(sentence))
        _tone(self._notice, tone)
        self._name_controls(strip.name)

    def _name_controls(self, name: str) -> None:
        self.setAccessibleName(f"Strip {name}")
        self._curves.setAccessibleName(f"Show the curves of {name}")
        self._audition.setAccessibleName(f"Audition {name}")
        self._mute.setAccessibleName(f"Mute {name}")
        self._solo.setAccessibleName(f"Solo {name}")
        self._remove.setAccessibleName(f"Remove {name}")

    def _show_curves(self, has_curves: bool) -> None:
        """Unfold the lane when the first curve comes, so that none plays unseen."""
        self._curves.setIcon(icon("curve", theme().text if has_curves else theme().secondary))
        is_news, self._has_curves = has_curves and not self._has_curves, has_curves
        if is_news:
            self.unfold()

    def _show_faders(self) -> None:
        strip = self._mix.strip(self.id)
        assert strip is not None
        experts = self._mix.experts
        if tuple(self._faders) != experts:
            self._make_faders(experts)
        for expert, fader in self._faders.items():
            is_automated = strip.followed(expert) is not None and not strip.per_step
            fader.show_strength(self._automation.strength(strip, expert))
            fader.show_automated(is_automated)
            label = expert.upper() if len(experts) > 1 else "Strength"
            follows = ", follows its curve" if is_automated else ""
            fader.setAccessibleName(f"{label} strength of {strip.name}, percent{follows}")

    def _make_faders(self, experts: tuple[Expert, ...]) -> None:
        for old in self._faders.values():
            self._fader_box.removeWidget(old)
            old.hide()
            old.deleteLater()
        self._faders = {}
        for expert in experts:
            fader = Fader(expert.upper() if len(experts) > 1 else "STRENGTH", expert)
            fader.began.connect(self._mix.begin_gesture)
            fader.moved.connect(partial(self._mix.set_strength, self.id, expert))
            self._faders[expert] = fader
            self._fader_box.addWidget(fader)
            fader.show()  # a layout counts no child that it has yet to show

    def tab_chain(self) -> tuple[QWidget, ...]:
        """What Tab visits, in order."""
        buttons = (self._curves, self._audition, self._mute, self._solo, self._remove)
        return (
            self,
            self._group.back,
            *buttons,
            self._verdict,
            self._coverage,
            *self._faders.values(),
            *self.lane.tab_chain(),
            self._numbers.button,
        )

    # Doing

    def unfold(self, is_open: bool = True) -> None:
        """Show the lane with the strip's curves, or fold it away."""
        self._curves.setChecked(is_open)

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
            Qt.Key.Key_M: self._mute.toggle,
            Qt.Key.Key_S: self._solo.toggle,
            Qt.Key.Key_A: self.audition,
            Qt.Key.Key_C: self._curves.toggle,
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


def _letter(letter: str, tip: str) -> QToolButton:
    button = _small(letter, tip)
    button.setCheckable(True)
    return button


def _small(text: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setFont(font(11, is_bold=True))
    button.setProperty("letter", text)
    button.setToolTip(tip)
    button.setFixedSize(28 if len(text) == 1 else 32, 24)
    return button


def _tone(label: QLabel, tone: str) -> None:
    if label.property("tone") != tone:
        label.setProperty("tone", tone)
        label.style().unpolish(label)
        label.style().polish(label)
