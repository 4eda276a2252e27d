"""Short runs on a tiny model, and what came of them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from catalog.recipe import Guidance, Recipe
from engine.inference.session import WanSession
from engine.live import LiveControls
from engine.messages import Event, Fresh, Mix, RunStarted, Start, StepFinished, Strip
from engine.worker import Clip, Generate

PROMPT = "a red ball moving right"
PLENTY = 1 << 30
FRESH = Fresh()


def recipe(**changes: object) -> Recipe:
    """Eight small steps, the first of them on the high-noise expert."""
    settings: dict[str, object] = {
        "prompt": PROMPT, "negative_prompt": "blue", "width": 32, "height": 32, "frames": 9, "fps": 16,
        "steps": 8, "seed": 3, "guidance": Guidance(4.0, 3.0),
    }  # fmt: skip
    return Recipe(**(settings | changes))  # type: ignore[arg-type]


def short(**changes: object) -> Recipe:
    """Five smaller steps, for what needs many runs."""
    return recipe(**({"width": 16, "height": 16, "frames": 5, "steps": 5} | changes))


def render(
    session: WanSession,
    asked: Recipe,
    mix: Mix | None = None,
    start: Start = FRESH,
    run: int = 1,
    budget: int = PLENTY,
    folder: Path | None = None,
    heard: Callable[[StepFinished, LiveControls], None] = lambda *_: None,
) -> tuple[Clip, list[Event]]:
    """Run to the end; `heard` may move faders or cancel after each step."""
    live, events = LiveControls(mix), list[Event]()

    def post(event: Event) -> None:
        events.append(event)
        if isinstance(event, StepFinished):
            heard(event, live)

    command = Generate(run, asked, live, start=start, budget=budget, folder=folder)
    return session.run(command, post), events


def faders(high: float, low: float, adapter: str = "a") -> Mix:
    """One strip."""
    return Mix(1, (Strip(adapter, high, low),))


def steps_of(events: list[Event]) -> list[StepFinished]:
    """The steps of a run, in order."""
    return [e for e in events if isinstance(e, StepFinished)]


def begun_at(events: list[Event]) -> int:
    """The first step that was denoised; the events before and after must say the same."""
    started = next(e for e in events if isinstance(e, RunStarted))
    reused = [step.is_reused for step in steps_of(events)]
    assert reused == [i < started.begins_at for i in range(len(reused))]
    return started.begins_at


def latents(clip: Clip) -> np.ndarray:
    """What was decoded."""
    assert clip.latents is not None
    return clip.latents
