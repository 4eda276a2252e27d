"""The one fake of the suite: a session without torch, whose steps the test releases."""

import queue
from dataclasses import replace
from pathlib import Path

import numpy as np

from catalog.models import ModelInfo, find_model
from catalog.recipe import Guidance, LoraUse
from engine.errors import AdapterRefused
from engine.live import LiveControls
from engine.messages import AdapterAttached, Coverage, Frames, Mix, RunStarted, StageChanged, StepFinished
from engine.worker import Clip, Generate, Post


def picture(value: int, frames: int = 1, width: int = 64, height: int = 64) -> Frames:
    """A grey clip [frames, height, width, 3], read-only."""
    pixels = np.full((frames, height, width, 3), value, np.uint8)
    pixels.flags.writeable = False
    return pixels


class FakeSession:
    """Plays a run of grey frames; `steps.put(None)` lets one step go, `free` lets all go."""

    device = "fake device"

    def __init__(self) -> None:
        self.steps: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.is_free = False
        self.attached: dict[str, Path] = {}
        self.refuse: dict[str, str] = {}
        self.heard: list[Mix] = []

    def load(self, name: str) -> ModelInfo:
        self.attached.clear()
        return find_model(name)

    def attach(self, adapter: str, path: Path) -> AdapterAttached:
        if path.name in self.refuse:
            raise AdapterRefused(self.refuse[path.name])
        self.attached[adapter] = path
        coverage = Coverage(60, 60, ("high", "low"))
        return AdapterAttached(adapter, path, "0" * 64, ("lora",), coverage)

    def detach(self, adapter: str) -> None:
        self.attached.pop(adapter, None)

    def run(self, command: Generate, post: Post) -> Clip:
        recipe = replace(
            command.recipe,
            steps=command.recipe.steps or 6,
            guidance=command.recipe.guidance or Guidance(4.0, 3.0),
            frames=command.recipe.frames or 17,
            fps=command.recipe.fps or 16,
        )
        steps = recipe.steps or 6
        sigmas = tuple(1 - i / steps for i in range(steps))
        experts = tuple("high" if s >= 0.875 else "low" for s in sigmas)
        post(RunStarted(command.run, recipe, sigmas, experts))  # type: ignore[arg-type]
        post(StageChanged(command.run, "denoising"))
        for step in range(steps):
            self._wait(command.live)
            mix = command.live.mix
            self.heard.append(mix)
            expert = experts[step]
            strengths = tuple((s.adapter, s.high if expert == "high" else s.low) for s in mix.strips)
            post(
                StepFinished(
                    command.run,
                    step,
                    steps,
                    sigmas[step],
                    expert,
                    mix.revision,
                    0.01,  # type: ignore[arg-type]
                    picture(40 + step),
                    strengths,
                )
            )
        post(StageChanged(command.run, "decoding"))
        uses = tuple(LoraUse(self.attached[s.adapter].name, s.high, s.low) for s in command.live.mix.strips)
        return Clip(picture(200, recipe.frames or 17), replace(recipe, loras=uses))

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
