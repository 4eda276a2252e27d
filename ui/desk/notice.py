"""The one sentence that a strip says when something should be said."""

from typing import Literal

from catalog.coverage_words import remark
from catalog.identify import misfit
from catalog.models import ModelInfo
from ui.state.strip import Attachment, StripState

Tone = Literal["look", "refused", "secondary"]


def notice(
    strip: StripState, attachment: Attachment, model: ModelInfo | None, replays: bool = True
) -> tuple[Tone, str]:
    """Tone and sentence, the most serious first; an empty sentence when all is well.

    `replays` is False where a recipe's strengths per step are for a run of another length.
    """
    identity = strip.entry.identity if strip.entry else None
    if attachment.status == "refused":
        return "refused", attachment.reason
    if strip.entry and strip.entry.problem:
        return "refused", strip.entry.problem
    if identity and model and (why := misfit(identity, model)):
        return "refused", f"It is {why}."
    if identity and identity.contradictions:
        return "look", identity.contradictions[0]
    if attachment.coverage and (said := remark(attachment.coverage)):
        return "look", said
    if strip.per_step and not replays:
        count = len(strip.per_step)
        return "look", f"The recipe's strengths are for {count} steps; with another number the faders play."
    if strip.per_step:
        other = "a fader, or press F for the curves," if strip.high_curve or strip.low_curve else "a fader"
        return "secondary", f"Plays the strengths of the recipe, step by step; move {other} to take over."
    if any(strip.curve(e) for e in strip.by_hand if model is None or e in model.experts):
        return "secondary", "Played by hand: the curve waits. F lets the fader follow it again."
    return "secondary", ""
