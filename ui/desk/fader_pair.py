"""A strip's faders: one per expert of the model, or one for a model with a single expert."""

from functools import partial

from PySide6.QtWidgets import QVBoxLayout

from catalog.models import Expert
from ui.desk.fader import Fader
from ui.state.automation import Automation
from ui.state.hearing import Hearing
from ui.state.mix import MixState
from ui.state.strip import StripState, any_solo


class FaderPair(QVBoxLayout):
    """Shows the strengths of one strip of a MixState, what was heard of them, and moves them."""

    def __init__(self, id: str, mix: MixState, hearing: Hearing, automation: Automation) -> None:
        super().__init__()
        self._id, self._mix, self._hearing, self._automation = id, mix, hearing, automation
        self.faders: dict[Expert, Fader] = {}
        self.setSpacing(0)
        self.setContentsMargins(0, 8, 0, 0)

    def refresh(self, strip: StripState) -> None:
        """Show where the faders stand, and whether a curve moves them."""
        experts = self._mix.experts
        if tuple(self.faders) != experts:
            self._make(experts)
        for expert, fader in self.faders.items():
            is_automated = strip.followed(expert) is not None and not self._automation.replays(strip)
            fader.show_strength(self._automation.strength(strip, expert))
            fader.show_automated(is_automated)
            label = expert.upper() if len(experts) > 1 else "Strength"
            follows = ", follows its curve" if is_automated else ""
            fader.setAccessibleName(f"{label} strength of {strip.name}, percent{follows}")

    def refresh_hearing(self, strip: StripState) -> bool:
        """Show what the run has heard; whether the strip is silent at the moment."""
        is_silent = strip.is_silent(any_solo(self._mix.strips))
        is_silent |= self._mix.attachment(self._id).status == "refused"
        for expert, fader in self.faders.items():
            applied = self._hearing.applied(self._id, expert)
            fader.show_hearing(self._hearing.is_heard(self._id, expert), applied, is_silent)
            fader.show_strength(self._automation.strength(strip, expert))
            fader.show_meter(self._hearing.reading(self._id, expert))
        return is_silent

    def _make(self, experts: tuple[Expert, ...]) -> None:
        for old in self.faders.values():
            self.removeWidget(old)
            old.hide()
            old.deleteLater()
        self.faders = {}
        for expert in experts:
            fader = Fader(expert.upper() if len(experts) > 1 else "STRENGTH", expert)
            fader.began.connect(self._mix.begin_gesture)
            fader.moved.connect(partial(self._mix.set_strength, self._id, expert))
            self.faders[expert] = fader
            self.addWidget(fader)
            fader.show()  # a layout counts no child that it has yet to show
