"""One run, from where it begins to its clip: kept steps are taken over, the others denoised and kept."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from torch import Tensor

from catalog.models import Expert
from engine import points, runs
from engine.errors import Cancelled, CannotContinue
from engine.inference.conditions.conditions import Conditions
from engine.inference.denoise import Step, Strengths, Text, denoise
from engine.inference.interrupt import interruptible
from engine.inference.loaded import Adapters, Loaded
from engine.inference.origin import again, cause, origin
from engine.inference.preview import NO_PICTURE
from engine.inference.room import measured, work_of
from engine.inference.saved import pack
from engine.inference.tones import by_content, faders, named, played, tones
from engine.inference.trajectory import Point, Taken, Trajectories
from engine.messages import (
    Frames,
    MemoryPlanned,
    MemoryUsed,
    Mix,
    Resume,
    RunStarted,
    Stage,
    StageChanged,
    StepFinished,
)
from engine.plan import Plan
from engine.worker import Clip, Generate, Post

log = logging.getLogger(__name__)

_Result = TypeVar("_Result")


class Run:
    """Makes one clip; to be used once."""

    def __init__(
        self, command: Generate, post: Post, model: Loaded, adapters: Adapters, kept: Trajectories
    ) -> None:
        self._command, self._post, self._kept = command, post, kept
        self._model, self._adapters = model, adapters
        self._origin = origin(command, model, adapters, kept)
        self._steps = len(self._origin.plan.sigmas)
        self._trajectory = self._origin.trajectory
        self._folder = command.folder
        self._has_begun = False
        start = self._origin
        self._last = Point(start.begins_at, start.latents, start.plan.state())

    def clip(self) -> Clip:
        """Denoise and decode. Raises Cancelled, or an EngineError that says what went wrong."""
        self._begin()
        with measured(self._model.parts.device, self._used):
            return self._made()

    def _made(self) -> Clip:
        """All of the work; what runs out of memory is done again from where it stood, with less of it."""
        within, live = partial(self._adapters.room.within, post=self._planned), self._command.live
        self._conditions = within(partial(_cancellable, self._origin.begins_at, self._see))
        latents = self._conditions.settled(self._denoise())
        attached = self._adapters.attached
        heard = [step.cause.tones for step in self._trajectory.taken]
        loras = played(attached, live.mix, heard, self._trajectory.files)
        clip = Clip(
            frames=NO_PICTURE,
            recipe=replace(self._origin.recipe, loras=loras),
            latents=latents.float().cpu().numpy(),
            coverage=tuple((report.path.name, report.coverage) for report in attached.values()),
        )
        self._stage("decoding")
        self._adapters.room.begin("decode")
        with interruptible(self._model.decoder.blocks, live):
            return within(partial(_cancellable, self._steps, partial(self._decoded, clip, latents)))

    def _begin(self) -> None:
        """Say what the run is, keep it from now on, and post the steps that it takes over."""
        command, start, trajectory = self._command, self._origin, self._trajectory
        if isinstance(command.start, Resume) and self._folder:
            runs.move(command.start.folder, self._folder)
        if not command.budget:
            trajectory.stride = self._steps + 1
        self._kept.begin(command.run, trajectory, command.budget)
        trajectory.files |= {r.sha256: str(r.path) for r in self._adapters.attached.values()}
        plan = start.plan
        self._post(
            RunStarted(command.run, start.recipe, plan.sigmas, plan.experts, start.begins_at, start.notices)
        )
        self._planned(self._adapters.room.arrange(work_of(start.recipe), command.memory), "")
        for index, taken in enumerate(trajectory.taken):
            strengths, _ = named(taken.cause.tones, self._adapters.attached)
            preview = taken.preview if command.has_previews else NO_PICTURE
            meters = named(taken.meters, self._adapters.attached)[0] if taken.meters else ()
            self._post(self._finished(index, start.revision, 0.0, preview, strengths, meters, is_reused=True))
        if self._folder:
            runs.prune(self._folder.parent)
            if start.begins_at:
                self._write(trajectory.points[start.begins_at])

    def _denoise(self) -> Tensor:
        """Run the loop, posting and keeping each step; the last latents."""
        start, within = self._origin, partial(self._adapters.room.within, post=self._planned)
        if start.begins_at == self._steps:
            return start.latents
        self._stage("encoding the prompt")
        text = within(partial(_cancellable, start.begins_at, self._text))
        self._stage("denoising")
        within(partial(self._go_on, text))
        return self._last.latents

    def _go_on(self, text: Text) -> None:
        """The steps behind the last one that is done."""
        parts, recipe, last = self._model.parts, self._origin.recipe, self._last
        assert recipe.guidance is not None and recipe.computing is not None
        if self._has_begun:
            self._origin = again(self._origin, parts, last)
        self._has_begun = True
        del self._trajectory.taken[last.step :]
        steps = denoise(
            parts.experts,
            self._origin.plan,
            last.latents,
            text,
            recipe.guidance,
            self._command.live,
            self._play,
            self._conditions,
            last.step,
        )
        with self._adapters.computation.using(recipe.computing):
            while step := _cancellable(self._last.step, lambda: next(steps, None)):
                self._take(step)

    def _decoded(self, clip: Clip, latents: Tensor) -> Clip:
        """The clip with its pictures, which go into its file as they come."""
        decoder, is_tiled = self._model.decoder, self._adapters.room.plan.is_tiled
        shown, record = self._conditions.shown(latents), self._command.record
        if record is None:
            return replace(clip, frames=decoder.decode(shown, is_tiled))
        recording = record(clip.recipe, decoder.shape(shown))
        try:
            return replace(clip, frames=decoder.decode(shown, is_tiled, recording.add), recording=recording)
        except BaseException:
            recording.abandon()
            raise

    def _see(self) -> Conditions:
        """What the pictures add to every pass."""
        recipe, conditioner, live = self._origin.recipe, self._model.conditioner, self._command.live
        if not conditioner.is_ready(recipe):
            self._stage("encoding the pictures")
        with interruptible(conditioner.blocks, live):
            return conditioner.conditions(recipe, live.check)

    def _text(self) -> Text:
        """The embeddings that the steps to come need."""
        recipe, plan, prompts = self._origin.recipe, self._origin.plan, self._model.prompts
        causes = [cause(recipe, plan, step, ()) for step in range(self._origin.begins_at, self._steps)]
        is_guided = any(c.negative is not None for c in causes)
        with interruptible(prompts.blocks, self._command.live):
            negative = prompts.encode(recipe.negative_prompt or "") if is_guided else None
            return Text(prompts.encode(recipe.prompt), negative)

    def _play(self, mix: Mix, expert: Expert, step: int) -> Strengths:
        """Set the adapters to what the mix says, or to what an earlier run played at this step."""
        if step < len(self._origin.past):
            strengths, missing = named(self._origin.past[step], self._adapters.attached)
            if missing:
                raise CannotContinue(
                    "A LoRA that played in the steps before is no longer on the desk, and the step itself "
                    "is no longer kept."
                )
        else:
            strengths = self._adapters.strengths(mix, expert, step, self._origin.plan.sigmas)
        self._adapters.play(strengths, expert)
        return strengths

    def _take(self, step: Step) -> None:
        """Show and keep a step that is done."""
        begun = time.perf_counter()
        command, previewer = self._command, self._model.previewer
        preview = (
            previewer.show(self._conditions.shown(step.estimate)) if command.has_previews else NO_PICTURE
        )
        attached = self._adapters.attached
        heard, meters = tones(step.strengths, attached), self._adapters.meters(step.strengths)
        why = cause(self._origin.recipe, self._origin.plan, step.index, heard)
        self._trajectory.taken.append(Taken(why, preview, by_content(meters, attached)))
        self._last = Point(step.index + 1, step.latents, self._origin.plan.state())
        if command.budget or self._folder:
            self._keep(self._last)
        revision = step.mix.revision if step.index >= len(self._origin.past) else 0
        seconds = step.seconds + time.perf_counter() - begun
        self._post(self._finished(step.index, revision, seconds, preview, step.strengths, meters))

    def _keep(self, point: Point) -> None:
        point = replace(point, latents=point.latents.to("cpu", copy=True))
        self._trajectory.add(point)
        self._kept.fit()
        self._write(point)

    def _write(self, point: Point) -> None:
        """Keep a point on disk too; a disk that refuses costs only the chance to continue."""
        if self._folder is None:
            return
        trajectory = self._trajectory
        loras = faders(self._adapters.attached, self._command.live.mix, self._steps)
        recipe = replace(self._origin.recipe, loras=loras)
        always = () if trajectory.boundary is None else (trajectory.boundary,)
        try:
            points.write(self._folder, recipe, pack(trajectory, point), always)
        except OSError as error:
            log.warning("the run is not kept on disk: %s", error)
            self._folder = None

    def _finished(
        self,
        step: int,
        revision: int,
        seconds: float,
        preview: Frames,
        strengths: Strengths,
        meters: Strengths,
        is_reused: bool = False,
    ) -> StepFinished:
        plan = self._origin.plan
        return StepFinished(
            run=self._command.run,
            step=step,
            steps=self._steps,
            sigma=plan.sigmas[step],
            expert=plan.experts[step],
            mix_revision=revision,
            seconds=seconds,
            preview=preview,
            strengths=strengths,
            is_reused=is_reused,
            meters=meters,
        )

    def _planned(self, plan: Plan, reason: str) -> None:
        self._post(MemoryPlanned(self._command.run, plan, reason))

    def _used(self, nbytes: int) -> None:
        self._post(MemoryUsed(self._command.run, nbytes))

    def _stage(self, stage: Stage) -> None:
        self._post(StageChanged(self._command.run, stage))


def _cancellable(step: int, work: Callable[[], _Result]) -> _Result:
    """Run `work`; a cancel inside it is told which step it hit."""
    try:
        return work()
    except Cancelled as stopped:
        stopped.step = step
        raise
