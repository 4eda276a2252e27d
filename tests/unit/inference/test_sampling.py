"""Every way through the noise that a recipe can choose is the one that diffusers' pipeline takes."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    DPMSolverMultistepScheduler,
    FlowMatchEulerDiscreteScheduler,
    FlowMatchLCMScheduler,
    UniPCMultistepScheduler,
    WanPipeline,
)

from catalog.accelerators import Accelerator, accelerators
from catalog.recipe import Guidance
from catalog.recipe_checks import SCHEDULERS
from engine.inference.session import WanSession
from engine.messages import Branch, Reuse
from tests.unit.inference.playing import PROMPT, begun_at, faders, latents, recipe, render, short, steps_of

GIVEN = (1.0, 0.9375, 0.83333, 0.625)
SOLVER: dict[str, Any] = {"prediction_type": "flow_prediction", "use_flow_sigmas": True}


def theirs(name: str, shift: float) -> Any:
    """The scheduler as one makes it with diffusers alone."""
    match name:
        case "unipc":
            return UniPCMultistepScheduler(**SOLVER, flow_shift=shift)
        case "dpm++":
            return DPMSolverMultistepScheduler(**SOLVER, flow_shift=shift)
        case "euler":
            return FlowMatchEulerDiscreteScheduler(shift=shift)
    return FlowMatchLCMScheduler(shift=shift)


def pipeline_latents(folder: Path, scheduler: Any, boundary: float = 0.875, steps: int = 8) -> np.ndarray:
    """What diffusers makes; one generator draws all noise, as in its pipelines that pass it on."""
    generator = torch.Generator("cpu").manual_seed(3)
    if isinstance(scheduler, FlowMatchLCMScheduler):
        scheduler.step = partial(scheduler.step, generator=generator)
    pipeline = WanPipeline.from_pretrained(folder)
    pipeline.register_modules(scheduler=scheduler)
    pipeline.register_to_config(boundary_ratio=boundary)
    pipeline.set_progress_bar_config(disable=True)
    made = pipeline(
        prompt=PROMPT, negative_prompt="blue", width=32, height=32, num_frames=9, num_inference_steps=steps,
        guidance_scale=4.0, guidance_scale_2=3.0, output_type="latent", generator=generator,
    )  # fmt: skip
    found: np.ndarray = made.frames.numpy()
    return found


@pytest.mark.parametrize("name", SCHEDULERS)
def test_every_scheduler_equals_the_pipeline_with_it(
    session: WanSession, model_folder: Path, name: str
) -> None:
    clip, events = render(session, recipe(scheduler=name, shift=5.0))
    np.testing.assert_allclose(
        latents(clip), pipeline_latents(model_folder, theirs(name, 5.0)), rtol=1e-4, atol=1e-4
    )
    assert {step.expert for step in steps_of(events)} == {"high", "low"}
    assert clip.recipe.scheduler == name


@pytest.mark.parametrize("name", ["unipc", "euler", "lcm"])
def test_given_sigmas_equal_the_pipeline_with_them(
    session: WanSession, model_folder: Path, name: str
) -> None:
    scheduler = theirs(name, 1.0)
    asked = scheduler.set_timesteps
    scheduler.set_timesteps = lambda _steps, device: asked(sigmas=np.array(GIVEN), device=device)
    clip, events = render(session, recipe(scheduler=name, steps=4, sigmas=GIVEN))
    np.testing.assert_allclose(
        latents(clip), pipeline_latents(model_folder, scheduler, steps=4), rtol=1e-4, atol=1e-4
    )
    assert [step.sigma for step in steps_of(events)] == pytest.approx(GIVEN, abs=2e-6)


def test_a_boundary_equals_that_of_the_pipeline(session: WanSession, model_folder: Path) -> None:
    clip, events = render(session, recipe(scheduler="euler", boundary=0.6))
    expected = pipeline_latents(model_folder, theirs("euler", 3.0), boundary=0.6)
    np.testing.assert_allclose(latents(clip), expected, rtol=1e-4, atol=1e-4)
    low_from = [step.expert for step in steps_of(events)].index("low")
    by_step, _ = render(session, recipe(scheduler="euler", boundary_step=low_from), run=2)
    assert np.array_equal(latents(by_step), latents(clip))
    own, _ = render(session, recipe(scheduler="euler"), run=3)
    assert not np.array_equal(latents(own), latents(clip))


@pytest.mark.parametrize("name", [None, *SCHEDULERS])
def test_a_branch_of_few_steps_is_the_uninterrupted_run(session: WanSession, name: str | None) -> None:
    off = Guidance(1.0, 1.0)
    asked = short(scheduler=name, steps=4, sigmas=GIVEN, boundary_step=2, guidance=off)
    whole, _ = render(session, asked)
    assert np.isfinite(latents(whole)).all()
    for step in range(5):
        branch, events = render(session, asked, start=Branch(1, step), run=2)
        assert begun_at(events) == step
        assert np.array_equal(latents(branch), latents(whole)) and branch.recipe == whole.recipe


def test_the_shift_means_nothing_to_given_sigmas(session: WanSession) -> None:
    render(session, short(steps=4, sigmas=GIVEN), faders(1.0, 1.0))
    _, events = render(session, short(steps=4, sigmas=GIVEN, shift=9.0), faders(1.0, 1.0), Reuse(), run=2)
    assert begun_at(events) == 4


def test_a_boundary_that_moves_takes_over_the_steps_before_it(session: WanSession) -> None:
    first, _ = render(session, short(boundary_step=4))
    moved, events = render(session, short(boundary_step=2), start=Reuse(), run=2)
    assert begun_at(events) == 2
    fresh, _ = render(session, short(boundary_step=2), run=3)
    assert np.array_equal(latents(moved), latents(fresh))
    assert not np.array_equal(latents(moved), latents(first))


@pytest.mark.parametrize("row", accelerators(), ids=lambda row: row.id)
def test_every_accelerator_can_be_run_and_gone_on_from(session: WanSession, row: Accelerator) -> None:
    names = ("steps", "scheduler", "shift", "sigmas", "boundary", "boundary_step", "guidance")
    asked = short(**{name: getattr(row, name) for name in names}, accelerator=row.id)
    whole, events = render(session, asked)
    played = steps_of(events)
    assert len(played) == row.steps and np.isfinite(latents(whole)).all()
    assert whole.recipe.accelerator == row.id
    if row.sigmas:
        assert [step.sigma for step in played] == pytest.approx(row.sigmas, abs=2e-6)
    if row.boundary_step:
        assert [step.expert for step in played].index("low") == row.boundary_step
    branch, _ = render(session, asked, start=Branch(1, row.steps // 2), run=2)
    assert np.array_equal(latents(branch), latents(whole))
