"""The head of a strip: the LoRA's name with its buttons, and under it what the file is and what is known of it."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout

from ui.desk.coverage_badge import CoverageBadge
from ui.desk.verdict_chip import VerdictChip
from ui.elided_label import ElidedLabel
from ui.state.strip import StripState
from ui.theme import font, icon, theme

CURVES_TIP = "Curves of strength over the run (C)"
AUDITION_TIP = "Audition: the clip with this strip and without it (A)"
_SIDE = 24


class StripHeader(QVBoxLayout):
    """Two rows of words and buttons; what the buttons do is the strip's to connect."""

    def __init__(self) -> None:
        super().__init__()
        self._name = ElidedLabel()
        self._name.setFont(font(13, is_bold=True))
        self._what = ElidedLabel(mode=Qt.TextElideMode.ElideRight)
        self._what.setProperty("tone", "secondary")
        self._what.setProperty("px", "11")
        self.coverage, self.verdict = CoverageBadge(), VerdictChip()
        self.mute = _letter("M", "Mute (M)")
        self.solo = _letter("S", "Solo: only solo strips are heard (S)")
        self.audition = _small("A/B", AUDITION_TIP)
        self.curves = QToolButton()
        self.curves.setCheckable(True)
        self.curves.setProperty("compact", "true")
        self.curves.setToolTip(CURVES_TIP)
        self.curves.setFixedSize(_SIDE, _SIDE)
        self.remove = QToolButton()
        self.remove.setProperty("quiet", "true")
        self.remove.setToolTip("Take off the desk (Delete)")
        self._arrange()

    @property
    def buttons(self) -> tuple[QToolButton, ...]:
        """The buttons, from the left."""
        return (self.curves, self.audition, self.mute, self.solo, self.remove)

    def _arrange(self) -> None:
        top, under = QHBoxLayout(), QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self._name, 1)
        for button in self.buttons:
            top.addWidget(button)
        under.setSpacing(8)
        under.addWidget(self._what, 1)
        under.addWidget(self.verdict)
        under.addWidget(self.coverage)
        self.setSpacing(2)
        self.addLayout(top)
        self.addLayout(under)

    def refresh(self, strip: StripState) -> None:
        """Show the strip's name and state; a strip of a group has no solo of its own."""
        identity = strip.entry.identity if strip.entry else None
        self._name.setText(strip.name)
        self._what.setText(identity.summary if identity else str(strip.path.name))
        for button, is_on in ((self.mute, strip.is_muted), (self.solo, strip.is_solo)):
            button.blockSignals(True)
            button.setChecked(is_on)
            button.blockSignals(False)
        self.remove.setIcon(icon("close", theme().secondary))
        self.curves.setIcon(icon("curve", theme().text if strip.has_curves else theme().secondary))
        self.solo.setVisible(not strip.group)
        self._name_buttons(strip.name)

    def _name_buttons(self, name: str) -> None:
        self.curves.setAccessibleName(f"Show the curves of {name}")
        self.audition.setAccessibleName(f"Audition {name}")
        self.mute.setAccessibleName(f"Mute {name}")
        self.solo.setAccessibleName(f"Solo {name}")
        self.remove.setAccessibleName(f"Remove {name}")


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
    button.setFixedSize(_SIDE if len(text) == 1 else 32, _SIDE)
    return button
