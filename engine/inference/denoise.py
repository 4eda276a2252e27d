"""The unrolled denoising loop: equal to diffusers' Wan pipelines, but it hears the faders at every step."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from diffusers import WanTransformer3DModel
from torch import Tensor, nn

from catalog.models import Expert
from catalog.recipe import Guidance
from engine.errors import BadNumbers
from engine.inference.conditions.conditions import TEXT_ALONE, Arguments, Conditions, Words
from engine.inference.interrupt import interruptible
from engine.inference.preview import estimate
from engine.inference.schedule import Schedule
from engine.live import LiveControls
from engine.messages import Mix

Strengths = tuple[tuple[str, float], ...]
Play = Callable[[Mix, Expert, int], Strengths]
"""Sets the strengths of one mix for one expert and step, and says what they are."""


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """Embeddings [1, tokens, width] of the prompt and, where guidance asks for it, of the negative prompt."""

    prompt: Tensor
    negative: Tensor | None


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One step done: latents after it, and the x₀ estimate before it was taken."""

    index: int
    sigma: float
    expert: Expert
    mix: Mix
    strengths: Strengths
    latents: Tensor
    estimate: Tensor
    seconds: float


def noise(shape: tuple[int, ...], seed: int, device: torch.device) -> Tensor:
    """The starting latents of a seed: the same on every device, since a CPU draws them."""
    generator = torch.Generator("cpu").manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float32).to(device)


def denoise(
    experts: Mapping[Expert, WanTransformer3DModel],
    plan: Schedule,
    latents: Tensor,
    text: Text,
    guidance: Guidance,
    live: LiveControls,
    play: Play,
    conditions: Conditions = TEXT_ALONE,
    first: int = 0,
) -> Iterator[Step]:
    """Yield each step from `first` as it is done; `latents` and `plan` stand before that step.

    The mix is read once per step and holds for all of its passes. Raises Cancelled within one transformer
    block of a cancel, BadNumbers when latents stop being finite.
    """
    for index, timestep in enumerate(plan.timesteps[first:], first):
        live.check()
        begun = time.perf_counter()
        mix, expert, sigma = live.mix, plan.experts[index], plan.sigmas[index]
        model = experts[expert]
        strengths = play(mix, expert, index)
        factor = guidance.high if expert == "high" else guidance.low
        with interruptible(blocks_of(model), live), conditions.around(model):
            passed = partial(_passed, model, text)
            velocity = conditions.velocity(passed, latents, timestep, model.dtype, factor)
        seen = estimate(latents, sigma, velocity)
        latents = plan.scheduler.step(velocity, timestep, latents, return_dict=False)[0]
        if not torch.isfinite(latents).all():
            raise BadNumbers(_blame(index, strengths))
        seconds = time.perf_counter() - begun
        yield Step(index, sigma, expert, mix, strengths, latents, seen, seconds)


def blocks_of(model: nn.Module) -> Iterable[nn.Module]:
    """An expert's transformer blocks, those of VACE's branch first, as they run."""
    return [block for name in ("vace_blocks", "blocks") for block in getattr(model, name, ())]


def _passed(model: WanTransformer3DModel, text: Text, arguments: Arguments, words: Words) -> Tensor:
    """One forward of an expert with the prompt, or with the negative one."""
    embedded = text.prompt if words == "prompt" else text.negative
    assert embedded is not None
    output: Tensor = model(**arguments, encoder_hidden_states=embedded.to(model.dtype), return_dict=False)[0]
    return output


def _blame(index: int, strengths: Strengths) -> str:
    sentence = f"The picture turned into NaN at step {index + 1}."
    if not strengths:
        return sentence
    adapter, strength = max(strengths, key=lambda s: abs(s[1]))
    return f"{sentence} The strongest LoRA was {adapter} at {strength:g}."
