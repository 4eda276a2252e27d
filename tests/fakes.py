"""The one fake of the suite: a session without torch, whose steps the test releases."""

import queue
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from catalog.coverage import Coverage
from catalog.models import Expert, ModelInfo, find_model
from catalog.recipe import Guidance, LoraUse, Recipe
from engine import points, runs
from engine.automation import strength
from engine.errors import AdapterRefused, CannotContinue, EncodeFailed
from engine.gauge import Gauge
from engine.live import LiveControls
from engine.messages import (
    AdapterAttached,
    Branch,
    Frames,
    Mix,
    Resume,
    Reuse,
    RunStarted,
    StageChanged,
    StepFinished,
)
from engine.worker import Clip, Generate, Post


def picture(value: int, frames: int = 1, width: int = 64, height: int = 64) -> Frames:
    """A grey clip [frames, height, width, 3], read-only."""
    pixels = np.full((frames, height, width, 3), value, np.uint8)
    pixels.flags.writeable = False
    return pixels


@dataclass
class Recorder:
    """Names a clip's file without writing it, or has no space left."""

    file: Path = Path("/clips/a red ball 7.mp4")
    is_full: bool = False
    saved: int = 0

    def __call__(self, recipe: Recipe, shape: tuple[int, int, int]) -> "Recorder":
        return self

    def add(self, frames: Frames) -> None:
        assert not frames.flags.writeable

    def finish(self) -> Path:
        if self.is_full:
            raise EncodeFailed("The disk is full.")
        self.saved += 1
        return self.file

    def abandon(self) -> None:
        raise AssertionError("nothing goes wrong here once a clip is recorded")


Played = tuple[tuple[str, float], ...]


def schedule_of(steps: int) -> tuple[tuple[float, ...], tuple[Expert, ...]]:
    """The sigmas and experts of a run."""
    sigmas = tuple(1 - i / steps for i in range(steps))
    return sigmas, tuple("high" if sigma >= 0.875 else "low" for sigma in sigmas)


def strengths_of(mix: Mix, step: int, steps: int) -> Played:
    """What a mix plays at one step."""
    sigmas, experts = schedule_of(steps)
    return tuple((s.adapter, strength(s, experts[step], step, sigmas)) for s in mix.strips)


def _same(played: list[Played], mix: Mix, steps: int) -> list[Played]:
    """The first of these steps, as far as the mix would play them alike."""
    same = list[Played]()
    for step, strengths in enumerate(played):
        if strengths != strengths_of(mix, step, steps):
            break
        same.append(strengths)
    return same


class FakeSession:
    """Plays a run of grey frames; `steps.put(None)` lets one step go, `is_free` lets all go.

    Steps taken over from an earlier run need no letting go. What is kept in memory has no bounds.
    """

    device = "fake device"
    cannot: tuple[tuple[str, str], ...] = ()

    def __init__(self) -> None:
        self.steps: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.is_free = False
        self.attached: dict[str, Path] = {}
        self.refuse: dict[str, str] = {}
        self.ratios: dict[str, float] = {}
        """By file name, what a meter says at strength 1; what is not named has none."""
        self.gauges: dict[str, Gauge] = {}
        self.heard: list[Mix] = []
        self.played: dict[int, tuple[Recipe, list[Played]]] = {}

    def load(self, name: str) -> ModelInfo:
        self.attached.clear()
        return find_model(name)

    def attach(self, adapter: str, path: Path) -> AdapterAttached:
        if path.name in self.refuse:
            raise AdapterRefused(self.refuse[path.name])
        self.attached[adapter] = path
        coverage = Coverage(60, 60, ("high", "low"))
        return AdapterAttached(adapter, path, "0" * 64, ("lora",), coverage, self.gauges.get(path.name))

    def detach(self, adapter: str) -> None:
        self.attached.pop(adapter, None)

    def run(self, command: Generate, post: Post) -> Clip:
        recipe, past, step = self._begin(command), self._past(command), 0
        steps = recipe.steps or 6
        sigmas, experts = schedule_of(steps)
        played = list[Played]()
        if command.budget:
            self.played[command.run] = (recipe, played)
        post(RunStarted(command.run, recipe, sigmas, experts, len(past)))
        post(StageChanged(command.run, "denoising"))
        while (step := len(played)) < steps:
            is_reused = step < len(past)
            if not is_reused:
                self._wait(command.live)
                self.heard.append(command.live.mix)
            mix = command.live.mix
            strengths = past[step] if is_reused else strengths_of(mix, step, steps)
            revision = mix.revision if not is_reused or isinstance(command.start, Reuse) else 0
            seconds = 0 if is_reused else 0.01
            played.append(strengths)
            self._write(command, recipe, played)
            event = StepFinished(
                command.run, step, steps, sigmas[step], experts[step], revision, seconds, picture(40 + step),
                strengths, is_reused, self._meters(strengths),
            )  # fmt: skip
            post(event)
        post(StageChanged(command.run, "decoding"))
        frames, recipe = (
            picture(200, recipe.frames or 17),
            replace(recipe, loras=self._uses(command.live.mix)),
        )
        recording = command.record(recipe, frames.shape[:3]) if command.record else None
        if recording:
            recording.add(frames)
        return Clip(frames, recipe, recording=recording)

    def _meters(self, strengths: Played) -> Played:
        ratios = {adapter: self.ratios.get(path.name) for adapter, path in self.attached.items()}
        return tuple((a, abs(s) * ratio) for a, s in strengths if (ratio := ratios.get(a)) is not None)

    def _begin(self, command: Generate) -> Recipe:
        """The settings of the run, whole."""
        match command.start:
            case Branch(run=run) if run not in self.played:
                raise CannotContinue("The steps of that clip are no longer kept.")
            case Branch(run=run):
                return self.played[run][0]
            case Resume(folder=folder):
                if not (kept := runs.read(folder)):
                    raise CannotContinue("That run is no longer there to be continued.")
                return replace(kept.recipe, loras=())
        recipe = replace(command.recipe, loras=())
        return replace(
            recipe,
            steps=recipe.steps or 6,
            guidance=recipe.guidance or Guidance(4.0, 3.0),
            frames=recipe.frames or 17,
            fps=recipe.fps or 16,
        )

    def _past(self, command: Generate) -> list[Played]:
        """The steps that the run takes over."""
        match command.start:
            case Branch(run=run, step=step):
                return self.played[run][1][:step]
            case Resume(folder=folder):
                kept = runs.read(folder)
                assert kept is not None and command.folder is not None
                values = points.load_point(kept).values
                runs.move(kept.folder, command.folder)
                return [tuple((name, value) for name, value in step) for step in values["played"]]
            case Reuse():
                recipe, mix = self._begin(command), command.live.mix
                kept_runs = [steps for settings, steps in self.played.values() if settings == recipe]
                return max((_same(steps, mix, recipe.steps or 6) for steps in kept_runs), key=len, default=[])
            case _:
                return []

    def _write(self, command: Generate, recipe: Recipe, played: list[Played]) -> None:
        if command.folder is not None:
            point = points.SavedPoint(len(played), {"latents": np.zeros(1, np.float32)}, {"played": played})
            points.write(command.folder, replace(recipe, loras=self._uses(command.live.mix)), point)

    def _uses(self, mix: Mix) -> tuple[LoraUse, ...]:
        return tuple(
            LoraUse(
                self.attached[s.adapter].name, s.high, s.low, high_curve=s.high_curve, low_curve=s.low_curve
            )
            for s in mix.strips
            if s.adapter in self.attached
        )

    def _wait(self, live: LiveControls) -> None:
        while True:
            live.check()
            if self.is_free:
                return
            try:
                self.steps.get(timeout=0.02)
            except queue.Empty:
                continue
            return
