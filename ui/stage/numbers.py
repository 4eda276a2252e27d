"""The numbers of a clip: what each is called, its range for a model, and where it is kept."""

from dataclasses import replace

from catalog.models import ModelInfo
from catalog.recipe import Guidance
from ui.stage.number_field import Number, Put, Read
from ui.state.clip_settings import (
    LEAST_SHIFT,
    MOST_GUIDANCE,
    MOST_SEED,
    MOST_SHIFT,
    MOST_SIDE,
    MOST_STEPS,
    ClipSettings,
    accepted_frames,
)


def width(model: ModelInfo) -> Number:
    """Pixels across."""
    return _side("Width", model, lambda s: s.width, _put_width)


def height(model: ModelInfo) -> Number:
    """Pixels down."""
    return _side("Height", model, lambda s: s.height, _put_height)


def _side(name: str, model: ModelInfo, read: Read, put: Put) -> Number:
    grid = model.size_multiple
    tip = f"{name} in pixels, a multiple of {grid} (↑ ↓)"
    return Number(name, grid, MOST_SIDE, grid, read, put, suffix=" px", tip=tip)


def frames(model: ModelInfo) -> Number:
    """How many pictures."""
    most, stride = accepted_frames(10**6, model), model.frame_stride
    tip = f"1 to {most} frames, in steps of {stride} (↑ ↓)"
    return Number("Frames", 1, most, stride, lambda s: s.frames, _put_frames, tip=tip)


def steps() -> Number:
    """How many denoising steps."""
    tip = "More steps take longer and settle details (↑ ↓)"
    return Number("Steps", 1, MOST_STEPS, 1, lambda s: s.steps, _put_steps, tip=tip)


def guidance(expert: str, name: str, tone: str) -> Number:
    """How strictly an expert follows the prompt."""

    def put(settings: ClipSettings, value: float) -> ClipSettings:
        old = settings.guidance
        new = Guidance(value, old.low) if expert == "high" else Guidance(old.high, value)
        return replace(settings, guidance=new)

    def read(settings: ClipSettings) -> float:
        return settings.guidance.high if expert == "high" else settings.guidance.low

    tip = "How strictly the picture follows the prompt; 1 turns guidance off and is twice as fast (↑ ↓)"
    return Number(name, 0, MOST_GUIDANCE, 0.5, read, put, decimals=2, tone=tone, tip=tip)


def one_guidance() -> Number:
    """Guidance of a model with one expert: both values are the same."""
    both = guidance("high", "Guidance", "secondary")

    def put(settings: ClipSettings, value: float) -> ClipSettings:
        return replace(settings, guidance=Guidance(value, value))

    return replace(both, put=put)


def shift() -> Number:
    """How much of the run is spent where the noise is high."""
    tip = "Higher spends more steps on composition and motion, lower on detail (↑ ↓)"
    return Number("Shift", LEAST_SHIFT, MOST_SHIFT, 0.5, lambda s: s.shift, _put_shift, 2, tip=tip)


def seed() -> Number:
    """What the noise begins with."""
    tip = "The same seed and settings make the same clip (↑ ↓)"
    return Number("Seed", 0, MOST_SEED, 1, lambda s: s.seed, _put_seed, tip=tip)


def _put_width(settings: ClipSettings, value: float) -> ClipSettings:
    return replace(settings, width=round(value))


def _put_height(settings: ClipSettings, value: float) -> ClipSettings:
    return replace(settings, height=round(value))


def _put_frames(settings: ClipSettings, value: float) -> ClipSettings:
    return replace(settings, frames=round(value))


def _put_steps(settings: ClipSettings, value: float) -> ClipSettings:
    kept = settings.sigmas if settings.sigmas and len(settings.sigmas) == round(value) else None
    return replace(settings, steps=round(value), sigmas=kept)


def _put_shift(settings: ClipSettings, value: float) -> ClipSettings:
    return replace(settings, shift=value)


def _put_seed(settings: ClipSettings, value: float) -> ClipSettings:
    return replace(settings, seed=round(value))
