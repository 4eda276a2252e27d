"""Curves over the run: the axis they are drawn on, what was played along it, and how the one becomes the other."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from catalog.curve import Curve, held
from catalog.errors import CatalogError
from catalog.models import Expert
from catalog.multipliers import entries_in
from catalog.sampling import Sampling
from catalog.sigma_axis import TRAIN_STEPS, SigmaAxis
from engine.bridge import EngineBridge
from engine.messages import RunStarted, StepFinished
from ui.state.mix import MixState
from ui.state.run import RunState
from ui.state.strip import StripState
from ui.state.wan2gp import FIRST_THRESHOLD, copied, pasted, phases_of, switch_threshold


@dataclass(frozen=True, slots=True)
class Played:
    """The strength that one step of a run applied."""

    sigma: float
    expert: Expert
    strength: float


@dataclass(frozen=True, slots=True)
class _Step:
    """What is kept of a step: its previews are the stage's."""

    sigma: float
    expert: Expert
    strengths: Mapping[str, float]


class Automation(QObject):
    """Follows the run for the curves of the desk. `axis_changed` says that sigmas moved, `stepped` that a
    run began or made a step; `message` carries a kind, a sentence, advice and details.
    """

    axis_changed = Signal()
    stepped = Signal()
    message = Signal(str, str, str, str)

    def __init__(
        self, bridge: EngineBridge, run: RunState, mix: MixState, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._run, self._mix = run, mix
        self._started: RunStarted | None = None
        self._steps: list[_Step] = []
        self._known: SigmaAxis | None = None
        run.changed.connect(self._update)
        bridge.run_started.connect(self._on_started)
        bridge.step_finished.connect(self._on_step)
        bridge.model_loaded.connect(self._update)

    # Following

    @property
    def axis(self) -> SigmaAxis:
        """The axis that curves are drawn on."""
        if self._known is None:
            self._known = self._axis()
        return self._known

    @property
    def playhead(self) -> float | None:
        """The sigma of the newest step; None before the first run."""
        return self._steps[-1].sigma if self._steps else None

    def played(self, id: str) -> tuple[Played, ...]:
        """What the last run played on a strip, or what the clip says that the strip was opened from."""
        heard = [
            Played(step.sigma, step.expert, step.strengths[id])
            for step in self._steps
            if id in step.strengths
        ]
        strip, axis = self._mix.strip(id), self.axis
        if not heard and strip is not None and self.replays(strip):
            return tuple(map(Played, axis.sigmas, axis.experts, strip.per_step))
        return tuple(heard)

    def replays(self, strip: StripState) -> bool:
        """Whether a strip plays a recipe's strengths step by step: they are for a run of as many steps."""
        return bool(strip.per_step) and len(strip.per_step) == self.axis.steps

    def strength(self, strip: StripState, expert: Expert) -> float:
        """What a fader shows: its place, or its curve at the last step of its expert, at first the first."""
        curve = strip.followed(expert)
        return strip.strength(expert) if curve is None else curve.at(self._sigma_of(expert))

    def _sigma_of(self, expert: Expert) -> float:
        played = [step.sigma for step in self._steps if step.expert == expert]
        planned = [self.axis.sigmas[step] for step in self.axis.steps_of(expert)[:1]]
        return (played[-1:] or planned or [self.axis.zone(expert)[1]])[0]

    def _axis(self) -> SigmaAxis:
        """The axis of the last run while the settings are its own, else the one that the next run will have."""
        wanted, model = Sampling.of(self._run.settings), self._run.model
        if self._started is not None:
            recipe, sigmas = self._started.recipe, self._started.sigmas
            if Sampling.of(recipe) == wanted and recipe.model == self._run.model_name:
                return SigmaAxis(sigmas, self._started.experts, wanted.border(sigmas, model.boundary))
        from catalog.planned_axis import planned  # numpy, which the window does not wait for

        return planned(model, wanted)

    def _update(self) -> None:
        if self._known is not None and (axis := self._axis()) != self._known:
            self._known = axis
            self.axis_changed.emit()

    def _on_started(self, event: RunStarted) -> None:
        self._started, self._steps = event, []
        self._update()
        self.stepped.emit()

    def _on_step(self, event: StepFinished) -> None:
        self._steps.append(_Step(event.sigma, event.expert, dict(event.strengths)))
        self.stepped.emit()

    # Doing

    def write_played(self, id: str) -> None:
        """Turn what was played into curves, which play it again step by step."""
        strip, played = self._mix.strip(id), self.played(id)
        if strip is None:
            return
        if not played:
            self._say("look", "Nothing was played on this strip yet.", "Generate a clip and move the faders.")
            return
        high = _written(played, "high") or strip.high_curve
        low = _written(played, "low") or strip.low_curve
        if len(self._mix.experts) == 1:
            low = high
        changed = replace(strip, high_curve=high, low_curve=low, per_step=(), by_hand=frozenset())
        self._mix.change(f"write what was played on {strip.name}", [changed])

    def paste_multipliers(self, text: str, id: str = "") -> None:
        """Play Wan2GP's multipliers: entries go to the strips from the top, a single one to the strip `id`."""
        strips = self._mix.strips
        if id and entries_in(text) == 1:
            strips = tuple(strip for strip in strips if strip.id == id)
        try:
            changed = pasted(text, strips, self.axis, self._mix.experts)
        except CatalogError as error:
            self._say("refused", str(error), error.advice, text)
            return
        self._mix.change("paste multipliers", changed)
        self._say_pasted(text, changed)

    def multipliers(self) -> str:
        """The desk as Wan2GP's multipliers, "" when it cannot be said so; a message tells what else it needs."""
        heard = [s for s in self._mix.strips if self._mix.attachment(s.id).status != "refused"]
        try:
            text = copied(heard, self.axis)
        except CatalogError as error:
            self._say("look", str(error), error.advice)
            return ""
        needs = [f"{self.axis.steps} steps"] if "," in text else []
        if ";" in text:
            needs += ["2 guidance phases", f"switch threshold {switch_threshold(self.axis)}"]
        advice = f"Wan2GP plays the same with {', '.join(needs)}." if needs else ""
        if "-" in text:
            advice += " It loses negative numbers when it applies an accelerator profile."
        self._say("info", f"Copied the multipliers {_short(text)}.", advice.strip(), text)
        return text

    def _say_pasted(self, text: str, strips: list[StripState]) -> None:
        count = "1 strip" if len(strips) == 1 else f"{len(strips)} strips"
        surplus = entries_in(text) - len(strips)
        advice = [f"{surplus} more in the text had no strip."] if surplus > 0 else []
        if any(strip.high_curve or strip.low_curve for strip in strips):
            advice.append(f"Lists are spread over {self.axis.steps} steps.")
        if phases_of(text, len(strips), self._mix.experts) > 2:
            advice.append(
                f"The first phase ends at σ {FIRST_THRESHOLD / TRAIN_STEPS:g}, as in Wan2GP's profiles."
            )
        self._say("info", f"The multipliers are on {count}.", " ".join(advice), text)

    def _say(self, kind: str, sentence: str, advice: str = "", details: str = "") -> None:
        self.message.emit(kind, sentence, advice, details)


def _written(played: tuple[Played, ...], expert: Expert) -> Curve | None:
    own = [step for step in played if step.expert == expert]
    return held([step.sigma for step in own], [step.strength for step in own]) if own else None


def _short(text: str) -> str:
    return f"“{text}”" if len(text) <= 60 else f"“{text[:59]}…”"
