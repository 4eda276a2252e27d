"""The loaded model with its adapters: what the engine thread asks for everything that needs torch."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import torch

from catalog.header import read_header
from catalog.identify import identify, misfit
from catalog.models import Expert, ModelInfo, find_model
from catalog.recipe import LoraUse, Recipe
from catalog.recipe_files import complete
from engine.automation import strength
from engine.errors import AdapterRefused, Cancelled, ModelFailed, OutOfMemory
from engine.inference import device as devices
from engine.inference.checkpoints.components import Components
from engine.inference.checkpoints.load import load
from engine.inference.decode import Decoder
from engine.inference.denoise import Step, Strengths, Text, denoise, noise
from engine.inference.interrupt import interruptible
from engine.inference.lora.attach import Attached
from engine.inference.lora.match import match
from engine.inference.lora.read import read_adapter
from engine.inference.preview import NO_PICTURE, Previewer
from engine.inference.prompt import PromptEncoder
from engine.inference.schedule import Schedule, schedule
from engine.messages import AdapterAttached, Mix, RunStarted, StageChanged, StepFinished, Strip
from engine.worker import Clip, Generate, Post

_Result = TypeVar("_Result")


class WanSession:
    """One model on one device, and the adapters beside its layers. Used by one thread at a time."""

    def __init__(self, choice: devices.Choice = "auto") -> None:
        self._device = devices.choose(choice)
        self.device = devices.describe(self._device)
        self._model: Components | None = None
        self._adapters: dict[str, tuple[Attached, AdapterAttached]] = {}

    def load(self, name: str) -> ModelInfo:
        """Load a model by name or path; on failure the one before stays, with its adapters."""
        info = find_model(name)
        parts = load(info, self._device)
        self._model = parts
        self._adapters.clear()
        self._prompts = PromptEncoder(parts.tokenizer, parts.text_encoder)
        self._decoder = Decoder(parts.vae)
        self._previewer = Previewer(self._decoder)
        return info

    def attach(self, adapter: str, path: Path) -> AdapterAttached:
        """Put a LoRA file beside the layers, at strength 0. On failure nothing has changed."""
        model = self._loaded()
        header = read_header(path)
        reason = misfit(identify(header, path.name), model.info)
        if reason:
            raise AdapterRefused(f"{path.name} is {reason}.")
        read = read_adapter(path, header)
        found = match(read, model.experts)
        self.detach(adapter)
        attached = Attached(adapter)
        for expert, deltas in found.deltas.items():
            attached.put(expert, model.experts[expert], deltas)
        report = AdapterAttached(adapter, path, read.sha256, read.kinds, found.coverage)
        self._adapters[adapter] = (attached, report)
        return report

    def detach(self, adapter: str) -> None:
        """Take an adapter off; unknown ones are ignored."""
        if entry := self._adapters.pop(adapter, None):
            entry[0].remove()

    def run(self, command: Generate, post: Post) -> Clip:
        """Make a clip. Raises Cancelled, or an EngineError that says what went wrong."""
        try:
            with torch.inference_mode():
                return self._run(command, post)
        except torch.OutOfMemoryError as error:
            lacking = str(error).splitlines()[0]
        # Outside the except block, whose frames would keep the tensors alive.
        devices.give_back_memory(self._device)
        raise OutOfMemory(f"The device ran out of memory: {lacking}")

    def _run(self, command: Generate, post: Post) -> Clip:
        model, live = self._loaded(), command.live
        recipe = complete(replace(command.recipe, loras=()), model.info)
        plan = schedule(model.scheduler, model.info, recipe, self._device)
        post(RunStarted(command.run, recipe, plan.sigmas, plan.experts))
        post(StageChanged(command.run, "encoding the prompt"))
        text = Text(self._prompts.encode(recipe.prompt), self._prompts.encode(recipe.negative_prompt or ""))
        post(StageChanged(command.run, "denoising"))
        history, latents = self._denoise(command, recipe, plan, text, post)
        post(StageChanged(command.run, "decoding"))
        with interruptible(self._decoder.blocks, live):
            frames = _cancellable(len(history), lambda: self._decoder.decode(latents))
        return Clip(
            frames=frames,
            recipe=replace(recipe, loras=self._uses(live.mix, history)),
            latents=latents.float().cpu().numpy(),
            coverage=tuple((r.path.name, r.coverage) for _, r in self._adapters.values()),
        )

    def _denoise(
        self, command: Generate, recipe: Recipe, plan: Schedule, text: Text, post: Post
    ) -> tuple[list[Strengths], torch.Tensor]:
        """Run the loop, posting each step; the strengths of every step, and the last latents."""
        model, history = self._loaded(), list[Strengths]()
        assert recipe.seed is not None and recipe.guidance is not None
        latents = noise(self._latent_shape(recipe), recipe.seed, self._device)
        steps = denoise(
            model.experts,
            plan,
            latents,
            text,
            recipe.guidance,
            command.live,
            partial(self._play, plan.sigmas),
            model.expand_timesteps,
        )
        while step := _cancellable(len(history), lambda: next(steps, None)):
            history.append(step.strengths)
            latents = step.latents
            post(self._finished(command, step, len(plan.sigmas)))
        return history, latents

    def _finished(self, command: Generate, step: Step, steps: int) -> StepFinished:
        begun = time.perf_counter()
        preview = self._previewer.show(step.estimate) if command.has_previews else NO_PICTURE
        return StepFinished(
            run=command.run,
            step=step.index,
            steps=steps,
            sigma=step.sigma,
            expert=step.expert,
            mix_revision=step.mix.revision,
            seconds=step.seconds + time.perf_counter() - begun,
            preview=preview,
            strengths=step.strengths,
        )

    def _play(self, sigmas: tuple[float, ...], mix: Mix, expert: Expert, step: int) -> Strengths:
        """Set every adapter to what the mix says for one step; those it does not name fall silent."""
        wanted = {strip.adapter: strength(strip, expert, step, sigmas) for strip in mix.strips}
        heard = []
        for adapter, (attached, _) in self._adapters.items():
            cell = attached.strengths.get(expert)
            if cell is not None:
                cell.value = wanted.get(adapter, 0.0)
            heard.append((adapter, cell.value if cell is not None else 0.0))
        return tuple(heard)

    def _uses(self, mix: Mix, history: list[Strengths]) -> tuple[LoraUse, ...]:
        """What was attached, with the last place of its faders, its curves and the strength of every step."""
        strips = {strip.adapter: strip for strip in mix.strips}
        played = [dict(strengths) for strengths in history]
        uses = []
        for adapter, (_, report) in self._adapters.items():
            strip = strips.get(adapter, Strip(adapter, 0.0, 0.0))
            per_step = tuple(step.get(adapter, 0.0) for step in played)
            use = LoraUse(str(report.path), strip.high, strip.low, per_step, report.sha256)
            uses.append(replace(use, high_curve=strip.high_curve, low_curve=strip.low_curve))
        return tuple(uses)

    def _latent_shape(self, recipe: Recipe) -> tuple[int, ...]:
        assert recipe.frames and recipe.width and recipe.height
        model = self._loaded()
        config = model.vae.config
        spatial = config.scale_factor_spatial
        frames = (recipe.frames - 1) // config.scale_factor_temporal + 1
        return (1, model.info.in_channels, frames, recipe.height // spatial, recipe.width // spatial)

    def _loaded(self) -> Components:
        if self._model is None:
            raise ModelFailed("No model is loaded.")
        return self._model


def _cancellable(step: int, work: Callable[[], _Result]) -> _Result:
    """Run `work`; a cancel inside it is told which step it hit."""
    try:
        return work()
    except Cancelled as stopped:
        stopped.step = step
        raise


def open_session(choice: devices.Choice = "auto") -> WanSession:
    """A session without a model; importing this module is what brings torch in."""
    return WanSession(choice)
