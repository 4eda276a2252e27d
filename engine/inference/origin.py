"""Where a run begins: its settings, its schedule, and the kept steps that it takes over."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from catalog.computing import Computing, as_text
from catalog.input_files import hashed
from catalog.recipe import Recipe
from catalog.recipe_files import complete
from engine import points, runs
from engine.errors import CannotContinue
from engine.inference.checkpoints.components import Components
from engine.inference.conditions.conditioner import seen
from engine.inference.denoise import noise
from engine.inference.loaded import Adapters, Loaded
from engine.inference.prompt import clean
from engine.inference.room import work_of
from engine.inference.saved import unpack
from engine.inference.schedule import Schedule, schedule
from engine.inference.tones import tones
from engine.inference.trajectory import Cause, Key, Point, Tones, Trajectories, Trajectory
from engine.messages import Branch, Mix, Resume, Reuse, Unfinished
from engine.worker import Generate


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """A run before its first step of its own.

    `plan` and `latents` stand there, `trajectory` has the steps before, and `past` what the first steps
    play whatever the mix says: as many as `trajectory` has, or more where some were not kept. `revision`
    is that of the mix which they agree with, else 0. `notices` are sentences on what is not computed as asked.
    """

    recipe: Recipe
    plan: Schedule
    trajectory: Trajectory
    past: Sequence[Tones]
    latents: Tensor
    revision: int
    notices: tuple[str, ...] = ()

    @property
    def begins_at(self) -> int:
        """The first step that is not taken over."""
        return len(self.trajectory.taken)


def origin(command: Generate, model: Loaded, adapters: Adapters, kept: Trajectories) -> Origin:
    """Where a run begins. Raises CannotContinue, BadRecipe, PictureNotFound or BadSettings."""
    source = _source(command, kept)
    recipe = replace(source.recipe if source else command.recipe, loras=())
    whole = complete(recipe, model.parts.info)
    adapters.room.expect(work_of(whole), command.memory)
    settled = adapters.computation.settle(recipe.computing)
    recipe = replace(whole, computing=settled.computing)
    recipe = replace(recipe, inputs=hashed(recipe.inputs))
    plan = schedule(model.parts.scheduler, model.parts.info, recipe, model.parts.device)
    key = _key(model, recipe)
    if source and source.key != replace(key, machine=source.key.machine, computing=source.key.computing):
        raise CannotContinue("That clip was begun with another model, or its files have changed since.")
    revision = 0
    # what a step cache held is not kept: a run may begin only where it would have been empty anyway
    among = None if settled.computing.cache is None else (plan.boundary, len(plan.sigmas))
    if isinstance(command.start, Reuse):
        mix = command.live.mix
        source, revision = kept.find(key, _causes(recipe, plan, adapters, mix), among), mix.revision
    source = source or Trajectory(key, recipe)
    point = source.last(len(source.taken), among)
    if point:
        plan.restore(point.state)
        latents = point.latents.to(model.parts.device)
    else:
        assert recipe.seed is not None
        latents = noise(key.shape, recipe.seed, model.parts.device)
    trajectory = source.up_to(point.step if point else 0)
    trajectory.recipe, trajectory.boundary = recipe, plan.boundary
    past = [step.cause.tones for step in source.taken]
    return Origin(recipe, plan, trajectory, past, latents, revision, settled.notices)


def again(start: Origin, parts: Components, point: Point) -> Origin:
    """The same beginning with a schedule that stands at another point of the run."""
    plan = schedule(parts.scheduler, parts.info, start.recipe, parts.device)
    plan.restore(point.state)
    return replace(start, plan=plan)


def cause(recipe: Recipe, plan: Schedule, step: int, tones: Tones) -> Cause:
    """All that a step depends on beside the steps before it."""
    assert recipe.guidance is not None
    expert = plan.experts[step]
    factor = recipe.guidance.high if expert == "high" else recipe.guidance.low
    return Cause(expert, factor, clean(recipe.negative_prompt or "") if factor != 1 else None, tones)


def _source(command: Generate, kept: Trajectories) -> Trajectory | None:
    """The steps that the command names."""
    match command.start:
        case Branch(run=run, step=step):
            return kept[run].up_to(step)
        case Resume(folder=folder):
            unfinished = runs.read(folder)
            if unfinished is None:
                raise CannotContinue("That run is no longer there to be continued.")
            return _unpacked(unfinished)
        case _:
            return None


def _unpacked(run: Unfinished) -> Trajectory:
    """Where a run stopped, and the points before it: not every way to compute can begin at any step."""
    found = unpack(points.load_point(run), run.recipe)
    for point in points.earlier_points(run):
        earlier = unpack(point, run.recipe)
        if earlier.key == found.key and found.common([step.cause for step in earlier.taken]) == point.step:
            found.points |= earlier.points
    return found


def _key(model: Loaded, recipe: Recipe) -> Key:
    assert recipe.seed is not None and recipe.steps is not None and recipe.shift is not None
    return Key(
        model=model.fingerprint,
        machine=model.machine,
        prompt=clean(recipe.prompt),
        seed=recipe.seed,
        shape=model.latent_shape(recipe),
        steps=recipe.steps,
        shift=recipe.shift if recipe.sigmas is None else 1.0,
        scheduler=recipe.scheduler,
        pictures=seen(recipe.inputs, recipe.fps),
        computing=as_text(recipe.computing or Computing()),
        sigmas=recipe.sigmas,
    )


def _causes(recipe: Recipe, plan: Schedule, adapters: Adapters, mix: Mix) -> list[Cause]:
    """The causes of all steps if the mix stays as it is."""
    heard = (adapters.strengths(mix, expert, step, plan.sigmas) for step, expert in enumerate(plan.experts))
    return [
        cause(recipe, plan, step, tones(strengths, adapters.attached)) for step, strengths in enumerate(heard)
    ]
