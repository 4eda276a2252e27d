"""The axis that is drawn before a run is the axis of the run."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, UniPCMultistepScheduler

from catalog.models import ModelInfo, find_model
from catalog.planned_axis import planned
from catalog.recipe import Recipe
from catalog.sigma_axis import SigmaAxis
from engine.inference.schedule import schedule

DEMO = find_model("demo")
BASE = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)


def played(base: object, model: ModelInfo, steps: int, shift: float, name: str | None) -> SigmaAxis:
    asked = Recipe(steps=steps, shift=shift, scheduler=name)
    plan = schedule(base, model, asked, torch.device("cpu"))
    return SigmaAxis(plan.sigmas, plan.experts, model.boundary)


@pytest.mark.parametrize("name", ["unipc", "euler", None])
@pytest.mark.parametrize("shift", [1.0, 3.0, 5.0, 12.0, 0.1, 100.0])
def test_sigmas_and_experts_are_those_of_the_run(name: str | None, shift: float) -> None:
    for steps in (*range(1, 41), 50, 100):
        for boundary in (0.875, 0.9, None):
            model = replace(DEMO, boundary=boundary)
            assert planned(model, steps, shift, name) == played(BASE, model, steps, shift, name)


def test_a_model_with_its_own_euler_is_known_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "scheduler").mkdir()
    said = {"_class_name": "FlowMatchEulerDiscreteScheduler"}
    (tmp_path / "scheduler" / "scheduler_config.json").write_text(json.dumps(said))
    model, base = replace(DEMO, path=tmp_path), FlowMatchEulerDiscreteScheduler(shift=1.0)
    assert planned(model, 8, 5.0, None) == played(base, model, 8, 5.0, None)


def test_experts_own_their_side_of_the_boundary() -> None:
    axis = planned(DEMO, 20, 3.0, None)
    assert axis.boundary is not None and 0 < axis.border < axis.steps == 20
    for expert in ("high", "low"):
        least, most = axis.zone(expert)
        assert all(least <= axis.sigmas[i] <= most for i in axis.steps_of(expert))
    assert axis.steps_of("high") + axis.steps_of("low") == tuple(range(20))
    one = replace(axis, boundary=None, experts=("high",) * 20)
    assert one.border == 20 and one.zone("high") == (0.0, 1.0) and one.steps_of("low") == ()
