"""A recipe survives writing and reading; a wrong one is refused by the name of its field."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.curve import Curve, Point
from catalog.errors import BadRecipe
from catalog.recipe import Guidance, HalfGuidance, LoraUse, Recipe, dumps, loads, unknown_fields
from catalog.recipe_checks import SCHEDULERS

FULL = {
    "version": 1,
    "model": "demo",
    "prompt": "a red ball moving right at night",
    "negative_prompt": "",
    "width": 64,
    "height": 64,
    "frames": 17,
    "fps": 16,
    "steps": 4,
    "seed": 7,
    "guidance": {"high": 4.0, "low": 3.0},
    "shift": None,
    "scheduler": None,
    "sigmas": [1, 0.9, 0.5, 0.1],
    "boundary": None,
    "boundary_step": 2,
    "accelerator": "lightning",
    "loras": [
        {"file": "neon.safetensors", "high": 0.0, "low": 0.8},
        {"file": "orbit.safetensors", "strength": 1.0},
        {"file": "ring.safetensors", "per_step": [1, 1, 0.5, 0]},
    ],
}


def text(**changes: Any) -> str:
    return json.dumps(FULL | changes)


def lora(**changes: Any) -> str:
    return text(loras=[{"file": "a.safetensors"} | changes])


def test_the_documented_example_is_read() -> None:
    recipe = loads(text())
    assert recipe.guidance == Guidance(4.0, 3.0)
    assert (recipe.width, recipe.steps, recipe.seed, recipe.shift, recipe.scheduler) == (64, 4, 7, None, None)
    assert recipe.loras == (
        LoraUse("neon.safetensors", 0.0, 0.8),
        LoraUse("orbit.safetensors", 1.0, 1.0),
        LoraUse("ring.safetensors", 1.0, 1.0, (1.0, 1.0, 0.5, 0.0)),
    )
    assert unknown_fields(recipe) == ()


@pytest.mark.parametrize(
    ("said", "written"),
    [
        (4, {"high": 4.0, "low": 4.0}),
        ({"high": 4}, {"high": 4.0}),
        ({"low": 0, "high": None}, {"low": 0.0}),
        ({"low": 3, "high": 4}, {"high": 4.0, "low": 3.0}),
    ],
)
def test_guidance_may_be_said_for_one_expert_or_for_both_at_once(said: object, written: object) -> None:
    assert json.loads(dumps(loads(text(guidance=said))))["guidance"] == written


@pytest.mark.parametrize("name", [n for n in FULL if n not in ("version", "loras")])
def test_null_and_missing_settings_mean_the_default(name: str) -> None:
    without = {key: value for key, value in FULL.items() if key != name}
    assert loads(json.dumps(without)) == loads(text(**{name: None}))
    assert getattr(loads(json.dumps(without)), name) == getattr(Recipe(), name)


def test_curves_are_read_and_null_is_none() -> None:
    use = loads(lora(curves={"high": [[1, 0.5], [0.9, 2, "hold"]], "low": None})).loras[0]
    assert use.high_curve == Curve((Point(1.0, 0.5), Point(0.9, 2.0, True)))
    assert use.low_curve is None and loads(lora(curves=None)) == loads(lora())


def test_the_least_recipe_is_its_version() -> None:
    assert loads('{"version": 1}') == Recipe()
    assert loads(b'{"version": 1, "loras": null}') == Recipe()


def test_unknown_fields_are_kept_and_named() -> None:
    recipe = loads(text(mood="blue", nested={"a": [1]}, loras=[{"file": "a", "colour": 3}]))
    assert unknown_fields(recipe) == ("mood", "nested", "loras[0].colour")
    again = json.loads(dumps(recipe))
    assert (again["mood"], again["nested"], again["loras"][0]["colour"]) == ("blue", {"a": [1]}, 3)


NUMBERS = st.floats(-1000, 1000)
CURVES = st.none() | st.builds(
    lambda first, last: Curve((first, last)),
    st.builds(Point, st.floats(0.5, 1, exclude_min=True), NUMBERS, st.booleans()),
    st.builds(Point, st.floats(0, 0.5), NUMBERS, st.booleans()),
)
GUIDANCE = st.floats(0, 1000)
GUIDANCES = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"guidance": st.builds(Guidance, GUIDANCE, GUIDANCE)}),
    st.fixed_dictionaries(
        {"half_guidance": st.builds(HalfGuidance, st.sampled_from(("high", "low")), GUIDANCE)}
    ),
)
RECIPES = st.builds(
    lambda guidance, **settings: Recipe(**guidance, **settings),
    guidance=GUIDANCES,
    model=st.text(),
    prompt=st.text(),
    negative_prompt=st.none() | st.text(),
    width=st.none() | st.integers(1, 65536),
    frames=st.none() | st.integers(1, 65536),
    seed=st.none() | st.integers(0, 2**63 - 1),
    shift=st.none() | st.floats(0, 1000, exclude_min=True),
    scheduler=st.sampled_from([None, *SCHEDULERS]),
    sigmas=st.none() | st.sampled_from([(1.0, 0.5), (0.9999, 0.1, 1 / 3e4)]),
    boundary=st.none() | st.floats(0, 1, exclude_min=True, exclude_max=True),
    accelerator=st.none() | st.text(),
    loras=st.lists(
        st.builds(
            LoraUse,
            st.text(min_size=1).filter(lambda name: bool(name.strip()) and "\0" not in name),
            NUMBERS,
            NUMBERS,
            st.lists(NUMBERS, max_size=4).map(tuple),
            st.sampled_from(["", "0a" * 32]),
            st.dictionaries(st.just("note"), st.integers()),
            CURVES,
            CURVES,
        ),
        max_size=3,
    ).map(tuple),
    extra=st.dictionaries(st.sampled_from(["mood", "x"]), st.text(), max_size=2),
)


@given(RECIPES)
def test_writing_and_reading_gives_the_same(recipe: Recipe) -> None:
    again = loads(dumps(recipe))
    assert again == recipe
    assert again.extra == recipe.extra
    assert [use.extra for use in again.loras] == [use.extra for use in recipe.loras]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (text(version=2), ("version", "is 2", "version 1")),
        (text(version=True), ("version", "true")),
        (text(version=None), ("version", "missing")),
        (text(width="64"), ("“width” is “64”", "whole number")),
        (text(width=-64), ("width", "-64", "from 1")),
        (text(height=0), ("height",)),
        (text(frames=17.0), ("frames", "17.0")),
        (text(steps=True), ("steps", "true", "1 to 1000")),
        (text(steps=1001), ("steps", "1000")),
        (text(fps=0), ("fps",)),
        (text(seed=-1), ("seed",)),
        (text(seed=2**64), ("seed",)),
        (text(prompt=5), ("prompt", "a text")),
        (text(prompt="\ud800"), ("prompt", "half a character")),
        (text(model=["demo"]), ("model",)),
        (text(guidance="4"), ("guidance", "a number for both experts", "“high”, “low” or both")),
        (text(guidance=True), ("guidance", "true")),
        (text(guidance={}), ("guidance", "“high”, “low” or both")),
        (text(guidance={"high": 4, "middle": 3}), ("guidance", "middle", "“high”, “low” or both")),
        (text(guidance=-4), ("guidance", "from 0")),
        (text(guidance={"low": -1}), ("guidance.low", "from 0")),
        (text(guidance={"high": -1, "low": 1}), ("guidance.high", "from 0")),
        (text(guidance={"high": 4, "low": float("nan")}), ("guidance.low", "NaN")),
        (text(guidance={"high": float("inf"), "low": 1}), ("guidance.high", "Infinity")),
        (text(shift=0), ("shift", "above 0")),
        (text(shift=True), ("shift",)),
        (text(scheduler="ddim"), ("scheduler", "null", "unipc", "euler", "dpm++", "or “lcm”")),
        (text(sigmas=0.5), ("sigmas", "null or a list")),
        (text(sigmas=[]), ("sigmas", "one for each step")),
        (text(sigmas=[1, 0.5]), ("sigmas", "2 values", "(4)")),
        (text(sigmas=[1, 0.5, 0.5, 0.2]), ("sigmas[2]", "less than the number before")),
        (text(sigmas=[1, 0.9, 0.5, 0]), ("sigmas[3]", "above 0")),
        (text(sigmas=[1.5, 0.9, 0.5, 0.1]), ("sigmas[0]", "1.5", "to 1")),
        (text(sigmas=[1, 0.9, 0.5, 1e-9]), ("sigmas[3]", "above 0")),
        (text(sigmas=[1, True, 0.5, 0.1]), ("sigmas[1]", "true")),
        (text(boundary=1), ("boundary", "below 1")),
        (text(boundary=0), ("boundary", "above 0")),
        (text(boundary_step=0), ("boundary_step", "from 1")),
        (text(boundary_step=4), ("boundary_step", "is 4", "“steps” (4)")),
        (text(boundary=0.9, boundary_step=2), ("boundary", "boundary_step", "only one")),
        (text(accelerator=4), ("accelerator", "a text")),
        (text(loras={"file": "a"}), ("loras", "a list")),
        (text(loras=["a"]), ("loras[0]", "“file”")),
        (text(loras=[{"strength": 1}]), ("loras[0].file", "missing")),
        (text(loras=[{"file": "a\0b"}]), ("loras[0].file",)),
        (lora(strength="1"), ("loras[0].strength", "a number")),
        (lora(strength=10**400), ("loras[0].strength",)),
        (lora(strength=1, high=1), ("loras[0]", "only one")),
        (lora(high=True), ("loras[0].high",)),
        (lora(low=1e9), ("loras[0].low", "1000")),
        (lora(per_step=[1, 1]), ("loras[0].per_step", "2 values", "(4)")),
        (lora(per_step=[1, 1, None, 1]), ("loras[0].per_step[2]",)),
        (lora(per_step="1111"), ("loras[0].per_step", "list")),
        (lora(curves=[[1, 0]]), ("loras[0].curves", "“high”, “low” or both")),
        (lora(curves={"middle": [[1, 0]]}), ("loras[0].curves", "middle")),
        (lora(curves={"low": [[1, 0], [1, 1]]}), ("loras[0].curves.low", "Point 2")),
        (lora(curves={"high": []}), ("loras[0].curves.high", "0 points")),
        (lora(sha256="abc"), ("loras[0].sha256", "64")),
        (text(mood=float("nan")), ("mood",)),
        (text(loras=[{"file": "a", "x": [float("inf")]}]), ("loras[0].x",)),
        ('{"version": 1, "steps": 3, "steps": 4}', ("steps", "twice")),
        ('{"version": 1, "steps": }', ("line 1",)),
        ("[" * 100_000, ("JSON",)),
        ("[]", ("object",)),
        ("", ("JSON",)),
        (" " * 10_000_001, ("too large", "10 MB")),
    ],
)
def test_a_wrong_field_is_named_with_what_is_allowed(bad: str, words: tuple[str, ...]) -> None:
    with pytest.raises(BadRecipe) as caught:
        loads(bad)
    for word in words:
        assert word in str(caught.value)
    assert len(str(caught.value)) < 300


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(BadRecipe):
        loads(b"\xff\xfe\x00{")


@given(st.text(max_size=40) | st.binary(max_size=40))
def test_nothing_but_a_refusal_comes_of_nonsense(nonsense: str | bytes) -> None:
    with pytest.raises(BadRecipe):
        loads(nonsense)
