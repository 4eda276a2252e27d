"""A schedule's state: enough to go on from any step, for every scheduler that is offered."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import FlowMatchLCMScheduler, UniPCMultistepScheduler
from torch import Tensor

from catalog.models import find_model
from catalog.recipe import Recipe
from catalog.recipe_checks import SCHEDULERS
from engine.inference.schedule import Schedule, schedule

STEPS = 7


def fresh(name: str, folder: Path, **changes: Any) -> Schedule:
    order = int(name.removeprefix("order ")) if name.startswith("order") else None
    base: Any = UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, solver_order=order or 2
    )
    chosen = Recipe(steps=STEPS, shift=5.0, seed=3, scheduler=None if order else name)
    return schedule(base, find_model(str(folder)), replace(chosen, **changes), torch.device("cpu"))


def walk(plan: Schedule, latents: Tensor, first: int = 0, last: int = STEPS) -> Tensor:
    """Steps with a velocity that depends on the latents, so that every difference grows."""
    for timestep in plan.timesteps[first:last]:
        velocity = torch.sin(3 * latents) - latents.flip(-1)
        latents = plan.scheduler.step(velocity, timestep, latents, return_dict=False)[0]
    return latents


GIVEN = (1.0, 0.9375, 0.83, 0.625, 0.5, 0.25, 0.1)


@pytest.mark.parametrize("step", range(STEPS + 1))
@pytest.mark.parametrize("given", [None, GIVEN], ids=["computed", "given"])
@pytest.mark.parametrize("name", [*SCHEDULERS, "order 1", "order 3"])
def test_a_restored_schedule_goes_on_bit_for_bit(
    name: str, step: int, given: tuple[float, ...] | None, model_folder: Path
) -> None:
    noise = torch.randn(1, 4, 3, 5, 5, generator=torch.Generator().manual_seed(step))
    plan = fresh(name, model_folder, sigmas=given)
    here = walk(plan, noise, 0, step).clone()
    state = plan.state()
    uninterrupted = walk(plan, here, step)
    assert torch.isfinite(uninterrupted).all()
    other = fresh(name, model_folder, sigmas=given)
    other.restore(state)
    assert torch.equal(walk(other, here, step), uninterrupted)
    again = fresh(name, model_folder, sigmas=given)
    again.restore(state)  # neither run has touched what was kept
    assert torch.equal(walk(again, here, step), uninterrupted)


def test_multistep_history_is_part_of_the_state(model_folder: Path) -> None:
    plan = fresh("unipc", model_folder)
    noise = torch.randn(1, 4, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    here = walk(plan, noise, 0, 4).clone()
    forgetful = fresh("unipc", model_folder)
    forgetful.restore({"_step_index": plan.state()["_step_index"]})
    assert not torch.equal(walk(forgetful, here, 4), walk(plan, here, 4))


@pytest.mark.parametrize("name", SCHEDULERS)
def test_no_step_has_no_state(name: str, model_folder: Path) -> None:
    assert fresh(name, model_folder).state() == {}


@pytest.mark.parametrize("name", ["unipc", "euler", "lcm"])
def test_given_sigmas_are_those_that_diffusers_is_given(name: str, model_folder: Path) -> None:
    plan, theirs = fresh(name, model_folder, sigmas=GIVEN), fresh(name, model_folder, shift=1.0).scheduler
    theirs.set_timesteps(sigmas=np.array(GIVEN))
    assert torch.equal(plan.scheduler.sigmas, theirs.sigmas)
    assert torch.equal(plan.timesteps, theirs.timesteps)


@pytest.mark.parametrize("name", [None, *SCHEDULERS])
def test_given_sigmas_stay_where_they_are_whatever_the_shift(name: str | None, model_folder: Path) -> None:
    plan = fresh(name or "order 2", model_folder, sigmas=GIVEN)
    assert plan.sigmas == pytest.approx(GIVEN, abs=2e-6)
    assert plan.timesteps.tolist() == pytest.approx([1000 * sigma for sigma in GIVEN], abs=1)


def test_the_noise_of_lcm_goes_on_where_that_of_the_start_ended(model_folder: Path) -> None:
    plan, one = fresh("lcm", model_folder), torch.Generator().manual_seed(3)
    theirs = FlowMatchLCMScheduler(shift=5.0)
    theirs.set_timesteps(STEPS)
    here = there = torch.randn(1, 4, 3, 5, 5, generator=one)
    for timestep in plan.timesteps:
        here = plan.scheduler.step(torch.sin(here), timestep, here, return_dict=False)[0]
        there = theirs.step(torch.sin(there), timestep, there, generator=one, return_dict=False)[0]
        assert torch.equal(here, there)
    first, second = (fresh("lcm", model_folder, seed=seed) for seed in (3, 4))
    noise = torch.zeros(1, 4, 3, 5, 5)
    assert not torch.equal(walk(first, noise), walk(second, noise))


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize(
    ("changes", "low_from"),
    [
        ({"boundary_step": 2}, 2),
        ({"sigmas": GIVEN}, 2),
        ({"sigmas": GIVEN, "boundary": 0.95}, 1),
        ({"sigmas": GIVEN, "boundary": 0.3}, 5),
        ({"sigmas": GIVEN, "boundary_step": 6}, 6),
    ],
    ids=str,
)
def test_the_low_noise_expert_takes_over_where_it_is_told(
    name: str, changes: dict[str, Any], low_from: int, model_folder: Path
) -> None:
    experts = fresh(name, model_folder, **changes).experts
    assert experts == ("high",) * low_from + ("low",) * (STEPS - low_from)


def test_a_model_of_one_expert_knows_no_boundary(one_expert_folder: Path) -> None:
    for changes in ({"boundary": 0.5}, {"boundary_step": 2}):
        assert set(fresh("euler", one_expert_folder, **changes).experts) == {"high"}


@pytest.mark.parametrize(("experts", "boundary"), [(("high",) * 3, None), (("high", "low", "low"), 1)])
def test_the_boundary_is_where_the_expert_changes(experts: Any, boundary: int | None) -> None:
    plan = Schedule(UniPCMultistepScheduler(), torch.zeros(3), (1.0, 0.5, 0.2), experts)
    assert plan.boundary == boundary
