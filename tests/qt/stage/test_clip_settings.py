"""Whatever is asked for, only what the model accepts is kept."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.models import ModelInfo, find_model
from catalog.recipe import Guidance, HalfGuidance, Recipe
from ui.state.clip_settings import (
    MOST_GUIDANCE,
    MOST_SEED,
    MOST_SIDE,
    MOST_STEPS,
    accepted,
    defaults_of,
    moved,
    settings_in,
)

DEMO = find_model("demo")
BIG = replace(
    DEMO,
    name="big",
    path=Path("/models/big"),
    experts=("high",),
    boundary=None,
    size_multiple=32,
    defaults=replace(DEMO.defaults, width=1280, height=704, frames=121, steps=50, most_frames=161, prompt=""),
)

anything = st.integers(-(10**12), 10**12)
floats = st.floats()


@settings(max_examples=60, deadline=None)
@given(
    model=st.sampled_from([DEMO, BIG]), side=anything, frames=anything, steps=anything, seed=anything,
    high=floats, shift=floats, prompt=st.text(st.characters(codec=None)),
)  # fmt: skip
def test_every_setting_lands_on_what_the_model_accepts(
    model: ModelInfo, side: int, frames: int, steps: int, seed: int, high: float, shift: float, prompt: str
) -> None:
    wild = replace(
        defaults_of(model), width=side, height=side + 7, frames=frames, steps=steps, seed=seed,
        guidance=Guidance(high, 3.0), shift=shift, prompt=prompt,
    )  # fmt: skip
    tame = accepted(wild, model)
    for pixels in (tame.width, tame.height):
        assert pixels % model.size_multiple == 0 and 0 < pixels <= MOST_SIDE
    assert (tame.frames - 1) % model.frame_stride == 0 and 1 <= tame.frames <= model.defaults.most_frames
    assert 1 <= tame.steps <= MOST_STEPS
    assert 0 <= tame.seed <= MOST_SEED
    assert 0 <= tame.guidance.high <= MOST_GUIDANCE
    assert math.isfinite(tame.shift) and tame.shift > 0
    assert b"\0" not in tame.prompt.encode()
    assert accepted(tame, model) == tame


@pytest.mark.parametrize("model", [DEMO, BIG])
def test_a_models_own_settings_are_accepted_as_they_are(model: ModelInfo) -> None:
    own = defaults_of(model)
    assert accepted(own, model) == own


def test_the_nearest_value_wins() -> None:
    wild = replace(defaults_of(DEMO), width=65, height=88, frames=16)
    tame = accepted(wild, DEMO)
    assert (tame.width, tame.height, tame.frames) == (64, 96, 17)


def test_emoji_and_right_to_left_words_are_kept() -> None:
    words = "a 🦊 כדור אדום"
    assert accepted(replace(defaults_of(DEMO), prompt=words), DEMO).prompt == words


def test_what_a_recipe_does_not_say_is_the_models_default() -> None:
    said = settings_in(Recipe(prompt="x", steps=4), DEMO)
    assert (said.prompt, said.steps, said.width) == ("x", 4, DEMO.defaults.width)
    assert said.guidance == Guidance(DEMO.defaults.guidance_high, DEMO.defaults.guidance_low)
    half = settings_in(Recipe(half_guidance=HalfGuidance("low", 2.0)), DEMO)
    assert half.guidance == Guidance(DEMO.defaults.guidance_high, 2.0)


def test_another_model_brings_its_numbers_and_keeps_the_words() -> None:
    before = replace(defaults_of(DEMO), prompt="a fox", seed=5, steps=3)
    after = moved(before, BIG)
    assert (after.prompt, after.seed, after.steps, after.width) == ("a fox", 5, 50, 1280)
