"""The axis that is drawn before a run is the axis of the run."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, UniPCMultistepScheduler
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.models import ModelInfo, find_model
from catalog.planned_axis import planned
from catalog.recipe import Recipe
from catalog.recipe_checks import SCHEDULERS
from catalog.sampling import Sampling
from catalog.sigma_axis import SigmaAxis
from engine.inference.schedule import schedule

DEMO = find_model("demo")
BASE = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)


def played(base: object, model: ModelInfo, asked: Sampling) -> SigmaAxis:
    recipe = Recipe(**asdict(asked), seed=0)
    plan = schedule(base, model, recipe, torch.device("cpu"))
    return SigmaAxis(plan.sigmas, plan.experts, asked.border(plan.sigmas, model.boundary))


@pytest.mark.parametrize("name", [*SCHEDULERS, None])
@pytest.mark.parametrize("shift", [1.0, 3.0, 5.0, 12.0, 0.1, 100.0])
def test_sigmas_and_experts_are_those_of_the_run(name: str | None, shift: float) -> None:
    for steps in (*range(1, 41), 50, 100):
        for boundary in (0.875, 0.9, None):
            model, asked = replace(DEMO, boundary=boundary), Sampling(steps, shift, name)
            assert planned(model, asked) == played(BASE, model, asked)


sigmas = st.lists(st.integers(1, 10_000), min_size=1, max_size=12, unique=True).map(
    lambda found: tuple(i / 10_000 for i in sorted(found, reverse=True))
)


@settings(deadline=None)
@given(
    given_sigmas=sigmas,
    name=st.sampled_from([*SCHEDULERS, None]),
    boundary=st.floats(0.01, 0.99),
    data=st.data(),
)
def test_given_sigmas_and_boundaries_are_those_of_the_run(
    given_sigmas: tuple[float, ...], name: str | None, boundary: float, data: st.DataObject
) -> None:
    steps = len(given_sigmas)
    step = data.draw(st.none() | st.integers(1, steps - 1)) if steps > 1 else None
    for sigmas in (given_sigmas, None):
        asked = Sampling(steps, 5.0, name, sigmas, None if step else boundary, step)
        axis = planned(DEMO, asked)
        assert axis == played(BASE, DEMO, asked)
        if step:
            assert axis.border == step
        for expert in ("high", "low"):
            least, most = axis.zone(expert)
            assert all(least - 1e-3 <= axis.sigmas[i] <= most for i in axis.steps_of(expert))


def test_a_model_with_its_own_euler_is_known_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "scheduler").mkdir()
    said = {"_class_name": "FlowMatchEulerDiscreteScheduler"}
    (tmp_path / "scheduler" / "scheduler_config.json").write_text(json.dumps(said))
    model, base = replace(DEMO, path=tmp_path), FlowMatchEulerDiscreteScheduler(shift=1.0)
    for asked in (Sampling(8, 5.0), Sampling(2, 5.0, sigmas=(0.9, 0.3))):
        assert planned(model, asked) == played(base, model, asked)


def test_experts_own_their_side_of_the_boundary() -> None:
    axis = planned(DEMO, Sampling(20, 3.0))
    assert axis.boundary is not None and 0 < axis.border < axis.steps == 20
    for expert in ("high", "low"):
        least, most = axis.zone(expert)
        assert all(least <= axis.sigmas[i] <= most for i in axis.steps_of(expert))
    assert axis.steps_of("high") + axis.steps_of("low") == tuple(range(20))
    one = replace(axis, boundary=None, experts=("high",) * 20)
    assert one.border == 20 and one.zone("high") == (0.0, 1.0) and one.steps_of("low") == ()
