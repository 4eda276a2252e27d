"""The unrolled denoising loop: equal to diffusers' Wan pipelines, but it hears the faders at every step."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
from diffusers import WanTransformer3DModel
from torch import Tensor, nn

from catalog.models import Expert
from catalog.recipe import Guidance
from engine.errors import BadNumbers
from engine.inference.conditions.conditions import TEXT_ALONE, Arguments, Conditions
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

    The mix is read once per step and holds for both of its passes. Raises Cancelled within one transformer
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
            arguments = conditions.arguments(latents, timestep, model.dtype)
            velocity = _velocity(model, arguments, text, factor)
        seen = estimate(latents, sigma, velocity)
        latents = plan.scheduler.step(velocity, timestep, latents, return_dict=False)[0]
        if not torch.isfinite(latents).all():
            raise BadNumbers(_blame(index, strengths))
        seconds = time.perf_counter() - begun
        yield Step(index, sigma, expert, mix, strengths, latents, seen, seconds)


def blocks_of(model: nn.Module) -> Iterable[nn.Module]:
    """An expert's transformer blocks, those of VACE's branch first, as they run."""
    return [block for name in ("vace_blocks", "blocks") for block in getattr(model, name, ())]


def _velocity(model: WanTransformer3DModel, arguments: Arguments, text: Text, guidance: float) -> Tensor:
    """The model's prediction with classifier-free guidance; one pass where guidance is 1."""

    def passed(words: Tensor) -> Tensor:
        words = words.to(model.dtype)
        output: Tensor = model(**arguments, encoder_hidden_states=words, return_dict=False)[0]
        return output

    with_prompt = passed(text.prompt)
    if guidance == 1:
        return with_prompt
    assert text.negative is not None
    without = passed(text.negative)
    return without + guidance * (with_prompt - without)


def _blame(index: int, strengths: Strengths) -> str:
    sentence = f"The picture turned into NaN at step {index + 1}."
    if not strengths:
        return sentence
    adapter, strength = max(strengths, key=lambda s: abs(s[1]))
    return f"{sentence} The strongest LoRA was {adapter} at {strength:g}."
