"""A schedule's state: enough to go on from any step, for every scheduler that is offered."""

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import UniPCMultistepScheduler
from torch import Tensor

from catalog.models import find_model
from catalog.recipe import Recipe
from catalog.recipe_checks import SCHEDULERS
from engine.inference.schedule import Schedule, schedule

STEPS = 7


def fresh(name: str, folder: Path) -> Schedule:
    order = int(name.removeprefix("order ")) if name.startswith("order") else None
    base: Any = UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, solver_order=order or 2
    )
    chosen = Recipe(steps=STEPS, shift=5.0, scheduler=None if order else name)
    return schedule(base, find_model(str(folder)), chosen, torch.device("cpu"))


def walk(plan: Schedule, latents: Tensor, first: int = 0, last: int = STEPS) -> Tensor:
    """Steps with a velocity that depends on the latents, so that every difference grows."""
    for timestep in plan.timesteps[first:last]:
        velocity = torch.sin(3 * latents) - latents.flip(-1)
        latents = plan.scheduler.step(velocity, timestep, latents, return_dict=False)[0]
    return latents


@pytest.mark.parametrize("step", range(STEPS + 1))
@pytest.mark.parametrize("name", [*SCHEDULERS, "order 1", "order 3"])
def test_a_restored_schedule_goes_on_bit_for_bit(name: str, step: int, model_folder: Path) -> None:
    noise = torch.randn(1, 4, 3, 5, 5, generator=torch.Generator().manual_seed(step))
    plan = fresh(name, model_folder)
    here = walk(plan, noise, 0, step).clone()
    state = plan.state()
    uninterrupted = walk(plan, here, step)
    other = fresh(name, model_folder)
    other.restore(state)
    assert torch.equal(walk(other, here, step), uninterrupted)
    again = fresh(name, model_folder)
    again.restore(state)  # neither run has touched what was kept
    assert torch.equal(walk(again, here, step), uninterrupted)


def test_multistep_history_is_part_of_the_state(model_folder: Path) -> None:
    plan = fresh("unipc", model_folder)
    noise = torch.randn(1, 4, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    here = walk(plan, noise, 0, 4).clone()
    forgetful = fresh("unipc", model_folder)
    forgetful.restore({"_step_index": plan.state()["_step_index"]})
    assert not torch.equal(walk(forgetful, here, 4), walk(plan, here, 4))


def test_no_step_has_no_state(model_folder: Path) -> None:
    assert fresh("unipc", model_folder).state() == {}


@pytest.mark.parametrize(("experts", "boundary"), [(("high",) * 3, None), (("high", "low", "low"), 1)])
def test_the_boundary_is_where_the_expert_changes(experts: Any, boundary: int | None) -> None:
    plan = Schedule(UniPCMultistepScheduler(), torch.zeros(3), (1.0, 0.5, 0.2), experts)
    assert plan.boundary == boundary
