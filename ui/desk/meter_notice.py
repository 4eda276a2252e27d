"""What a strip says about its numbers: a fader that does nothing, or a file that is far from the usual size."""

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from catalog.models import Expert
from engine.gauge import FAR, USUAL, Gauge
from ui.deflection import DARK
from ui.desk.fader_painter import number
from ui.state.hearing import Reading
from ui.state.strip import StripState

_UP = 0.25
"""A fader is up from here on; nobody wonders why one that is lower does little."""


class MeterNotice(QWidget):
    """A sentence in yellow, and a button that sets the strength it suggests; hidden when all is well."""

    suggested = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._strength = 0.0
        self._sentence = QLabel()
        self._sentence.setTextFormat(Qt.TextFormat.PlainText)
        self._sentence.setWordWrap(True)
        self._sentence.setProperty("px", "12")
        self._sentence.setProperty("tone", "look")
        self.button = QPushButton()
        self.button.setToolTip("Set the faders that are not off to this strength; Ctrl+Z takes it back")
        self.button.setAccessibleName("Set to the suggested strength")
        self.button.clicked.connect(lambda: self.suggested.emit(self._strength))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._sentence, 1)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()

    @property
    def text(self) -> str:
        """The sentence, if one is shown."""
        return "" if self.isHidden() else self._sentence.text()

    def show_numbers(
        self, strip: StripState, gauge: Gauge | None, readings: Mapping[Expert, Reading | None]
    ) -> bool:
        """Say what the numbers of a strip ask to be said; whether that is something else than before.

        `readings` are those of the experts that the strip can play on.
        """
        strengths = [strip.strength(expert) for expert in readings]
        sentence, offer = placebo(strip, readings), None
        if not sentence and gauge is not None and is_far(gauge, strengths):
            sentence, offer = size_sentence(gauge), gauge.suggestion
        if (sentence, offer or 0.0) == (self.text, self._strength):
            return False
        self._strength = offer or 0.0
        self._sentence.setText(sentence)
        if offer:
            self.button.setText(f"Set to {offer:g}")
            self.button.setAccessibleName(f"Set the strength of {strip.name} to {offer:g}")
        self.button.setVisible(offer is not None)
        self.setVisible(bool(sentence))
        return True


def placebo(strip: StripState, readings: Mapping[Expert, Reading | None]) -> str:
    """The sentence for a fader that is up while its meter stays dark on every expert, else ""."""
    up = {e: reading for e, reading in readings.items() if abs(strip.strength(e)) >= _UP}
    heard = [reading for reading in up.values() if reading and abs(reading.strength) >= _UP]
    if not heard or len(heard) < len(up) or any(reading.ratio > DARK for reading in heard):
        return ""
    strongest = max((reading.strength for reading in heard), key=abs)
    return f"Fader up, meter dark: no measurable effect at {number(round(strongest, 2))}."


def is_far(gauge: Gauge, strengths: list[float]) -> bool:
    """Whether one of these strengths leaves the file as far from the usual size as it was."""
    if gauge.suggestion is None:
        return False
    played = [abs(strength) * gauge.size for strength in strengths if strength]
    is_loud = gauge.size > USUAL
    return any(size >= FAR * USUAL if is_loud else size <= USUAL / FAR for size in played)


def size_sentence(gauge: Gauge) -> str:
    """What is unusual about a file's size."""
    share = f"{100 * gauge.size:.2g}\u00a0%"
    if gauge.size > USUAL:
        return (
            f"Unusually large: at 1.00 it changes its layers by {share}; {100 * USUAL:.0f}\u00a0% is usual."
        )
    return f"Unusually small: at 1.00 it changes its layers by {share}; {100 * USUAL:.0f}\u00a0% is usual."


def set_to(strip: StripState, strength: float) -> StripState:
    """The strip with its faders moved to another strength; an expert that it leaves alone stays alone."""
    experts: tuple[Expert, ...] = ("high", "low")
    return strip.moved([expert for expert in experts if strip.strength(expert)], strength)
