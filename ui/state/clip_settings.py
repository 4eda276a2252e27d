"""What a clip is made with, and which values a model accepts for it."""

import math
import random
from dataclasses import dataclass, replace

from catalog.guidance import Guidance, whole
from catalog.inputs import NOTHING, Inputs
from catalog.models import ModelInfo
from catalog.recipe import Recipe
from catalog.sampling import Sampling

MOST_SIDE = 2048
MOST_STEPS = 100
MOST_GUIDANCE = 20.0
LEAST_SHIFT, MOST_SHIFT = 0.1, 100.0
MOST_SEED = 2**31 - 1


@dataclass(frozen=True, slots=True)
class ClipSettings:
    """Every setting of the next clip but its model and its LoRAs."""

    prompt: str
    negative_prompt: str
    width: int
    height: int
    frames: int
    fps: int
    steps: int
    seed: int
    guidance: Guidance
    shift: float
    scheduler: str | None = None
    sigmas: tuple[float, ...] | None = None
    boundary: float | None = None
    boundary_step: int | None = None
    accelerator: str | None = None
    inputs: Inputs = NOTHING
    """Also those that the model of the moment does not take: another one may."""


def random_seed() -> int:
    """Any seed, short enough to be read out and typed."""
    return random.randint(0, 999_999)


def defaults_of(model: ModelInfo) -> ClipSettings:
    """What a model is used with when nobody says otherwise, and a random seed."""
    own = model.defaults
    return ClipSettings(
        prompt=own.prompt,
        negative_prompt=own.negative_prompt,
        width=own.width,
        height=own.height,
        frames=own.frames,
        fps=own.fps,
        steps=own.steps,
        seed=random_seed(),
        guidance=whole(None, model),
        shift=own.shift,
    )


def settings_in(recipe: Recipe, model: ModelInfo) -> ClipSettings:
    """The settings that a recipe means for a model, before anything is made acceptable."""
    names = (
        "negative_prompt", "width", "height", "frames", "fps", "steps", "seed", "shift", "scheduler",
         "sigmas", "boundary", "boundary_step", "accelerator",
    )  # fmt: skip
    said = {name: value for name in names if (value := getattr(recipe, name)) is not None}
    said["guidance"] = whole(recipe.guidance or recipe.half_guidance, model)
    return replace(defaults_of(model), prompt=recipe.prompt, inputs=recipe.inputs, **said)


def moved(settings: ClipSettings, model: ModelInfo) -> ClipSettings:
    """Settings taken along to another model: words, pictures and seed stay, the numbers are its own."""
    own = defaults_of(model)
    return replace(
        own,
        prompt=settings.prompt or own.prompt,
        negative_prompt=settings.negative_prompt or own.negative_prompt,
        seed=settings.seed,
        inputs=settings.inputs,
    )


def accepted(settings: ClipSettings, model: ModelInfo) -> ClipSettings:
    """The nearest settings that the model accepts."""
    own = model.defaults
    high = _within(settings.guidance.high, 0.0, MOST_GUIDANCE, own.guidance_high)
    low = _within(settings.guidance.low, 0.0, MOST_GUIDANCE, own.guidance_low)
    way = Sampling.of(settings).agreeing(len(model.experts) == 2, MOST_STEPS)
    return replace(
        settings,
        prompt=_text(settings.prompt),
        negative_prompt=_text(settings.negative_prompt),
        width=accepted_side(settings.width, model),
        height=accepted_side(settings.height, model),
        frames=accepted_frames(settings.frames, model),
        fps=min(max(settings.fps, 1), 120),
        steps=way.steps,
        sigmas=way.sigmas,
        boundary=way.boundary,
        boundary_step=way.boundary_step,
        seed=min(max(settings.seed, 0), MOST_SEED),
        guidance=Guidance(high, low),
        shift=_within(settings.shift, LEAST_SHIFT, MOST_SHIFT, own.shift),
    )


def accepted_side(pixels: int, model: ModelInfo) -> int:
    """The nearest width or height that is a multiple of the model's."""
    return _on_grid(pixels, model.size_multiple, MOST_SIDE)


def accepted_frames(frames: int, model: ModelInfo) -> int:
    """The nearest frame count of the form stride·k + 1; one frame is a still picture."""
    most = (model.defaults.most_frames - 1) // model.frame_stride
    steps = round((frames - 1) / model.frame_stride)
    return min(max(steps, 0), most) * model.frame_stride + 1


def _on_grid(value: int, grid: int, most: int) -> int:
    return min(max(math.floor(value / grid + 0.5), 1), most // grid) * grid


def _within(value: float, least: float, most: float, otherwise: float) -> float:
    return min(max(value, least), most) if math.isfinite(value) else otherwise


def _text(words: str) -> str:
    """Words without NULs and half characters, which no tokenizer and no file could take."""
    whole = words.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\0", "")
