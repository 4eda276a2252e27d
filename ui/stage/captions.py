"""What the two pills over the picture say, and the sentence where there is no picture yet."""

from catalog.models import Expert
from engine.messages import StepFinished
from ui.stage.pill import Part
from ui.stage.showing import Showing
from ui.state.input_places import SPOKEN, lacking
from ui.state.progress import Progress
from ui.state.run import RunState
from ui.state.take import Take
from ui.theme import theme

NOISE = {"high": "HIGH noise", "low": "LOW noise"}


def left(run: RunState, showing: Showing) -> tuple[Part, ...]:
    """What one sees."""
    text = ""
    match showing.shown:
        case Take() as take:
            text = _of_clip(run, take)
        case StepFinished() as step:
            text = f"step {step.step + 1} of {step.steps} · {_of_step(run, step)}"
    return (Part(text, theme().text),) if text else ()


def _of_clip(run: RunState, take: Take) -> str:
    if run.takes.is_running:
        return "the clip before"
    if take.is_draft:
        return "draft · not saved"
    return f"finished · seed {take.recipe.seed}" if take.file else "finished · not saved"


def _of_step(run: RunState, step: StepFinished) -> str:
    """Whose step a preview is, if not simply of the run under way."""
    take, draft = run.takes.current, run.takes.draft
    if draft is not None and step.run == draft.run:
        return "draft"
    if take is None or step.run != take.run:
        return "preview" if run.takes.of(step.run) is None else "the run before"
    is_last = step is take.steps[-1] and step.step + 1 < step.steps
    return "stopped here" if is_last and take.frames is None and not run.takes.is_running else "preview"


def right(run: RunState, showing: Showing) -> tuple[Part, ...]:
    """How the run gets on; or, for a step one looks back at, how noisy it was and whose it was."""
    shown = showing.shown
    if isinstance(shown, StepFinished) and (run.current_run is None or showing.is_pinned):
        return (*_expert(run, shown.expert), Part(f"σ {shown.sigma:.3f}", theme().text))
    if run.is_drafting:
        return (Part(_drafting(run), theme().text),)
    if run.is_cancelling:
        return (Part("cancelling…", theme().text),)
    if run.phase == "queued":
        return (Part("waiting for the model…" if run.is_loading else "starting…", theme().text),)
    if run.current_run is None:
        return ()
    if run.progress is None or run.stage not in ("", "denoising"):
        return (Part(f"{run.stage or 'starting'}…", theme().text),)
    return (*_expert(run, run.progress.expert), Part(pace(run.progress), theme().text))


def _drafting(run: RunState) -> str:
    if run.progress is None or run.stage not in ("", "denoising"):
        return "Live · decoding…" if run.stage == "decoding" else "Live…"
    return f"Live · step {run.progress.done} of {run.progress.steps}"


def empty(run: RunState) -> str:
    """The sentence where the picture will be."""
    if run.phase not in ("running", "queued"):
        if lacks := lacking(run.settings.inputs, run.model):
            things = " and ".join(SPOKEN[field] for field in lacks)
            return f"Drop {things} here" if len(lacks) == 1 else f"Drop {things} on the slots below"
        return "Press Ctrl+Enter to render the first clip"
    if run.is_loading:
        return "Rendering begins as soon as the model is loaded"
    return f"{run.stage or 'starting'}…".capitalize()


def pace(progress: Progress) -> str:
    """Speed and time left: "7.4 s/step · 1:21 left"."""
    minutes, seconds = divmod(round(progress.seconds_left), 60)
    hours, minutes = divmod(minutes, 60)
    left = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    return f"{_short(progress.seconds_per_step)} s/step · {left} left"


def plain(parts: tuple[Part, ...]) -> str:
    """A pill as text, for those who listen."""
    return " ".join(part.text.strip() for part in parts)


def _short(seconds: float) -> str:
    return f"{seconds:.2f}" if seconds < 1 else f"{seconds:.1f}" if seconds < 100 else f"{seconds:.0f}"


def _expert(run: RunState, expert: Expert) -> tuple[Part, ...]:
    """The expert's letter on a plate of its colour, and its word; nothing where there is only one."""
    if len(run.model.experts) < 2:
        return ()
    colours = theme()
    colour = colours.high if expert == "high" else colours.low
    return (
        Part(expert[0].upper(), colours.on_accent, colour),
        Part(f"  {NOISE[expert]}", colour),
        Part("  ·  ", colours.secondary),
    )
