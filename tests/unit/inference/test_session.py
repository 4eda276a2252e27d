"""The session on tiny real models: equal to diffusers' pipeline, honest about files, quick to cancel."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import WanPipeline

from catalog.curve import Curve, Point
from catalog.recipe import Guidance
from engine.errors import AdapterRefused, BadNumbers, Cancelled, ModelFailed
from engine.inference.session import WanSession
from engine.live import LiveControls
from engine.messages import Event, Mix, RunStarted, StepFinished, Strip
from engine.worker import Generate
from tests import tiny
from tests.lora_files import Factors, lora_file
from tests.unit.inference.playing import PROMPT, latents, recipe, render, steps_of


def pipeline_latents(
    folder: Path, merge: Callable[[WanPipeline], None] = lambda _: None, **kwargs: object
) -> np.ndarray:
    pipeline = WanPipeline.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    merge(pipeline)
    call: dict[str, object] = {
        "prompt": PROMPT, "negative_prompt": "blue", "width": 32, "height": 32, "num_frames": 9,
        "num_inference_steps": 8, "guidance_scale": 4.0, "output_type": "latent",
        "generator": torch.Generator("cpu").manual_seed(3),
    }  # fmt: skip
    return pipeline(**(call | kwargs)).frames.numpy()


@pytest.fixture(scope="module")
def bare_latents(model_folder: Path) -> np.ndarray:
    return pipeline_latents(model_folder, guidance_scale_2=3.0)


def test_latents_equal_the_pipeline(session: WanSession, bare_latents: np.ndarray) -> None:
    clip, events = render(session, recipe())
    np.testing.assert_allclose(latents(clip), bare_latents, atol=1e-4)
    assert {e.expert for e in steps_of(events)} == {"high", "low"}


def test_one_expert_latents_equal_the_pipeline(one_expert_folder: Path) -> None:
    session = WanSession("cpu")
    session.load(str(one_expert_folder))
    clip, events = render(session, recipe(guidance=Guidance(4.0, 4.0)))
    np.testing.assert_allclose(latents(clip), pipeline_latents(one_expert_folder), atol=1e-4)
    assert {e.expert for e in steps_of(events)} == {"high"}


def test_guidance_one_equals_the_pipeline_without_guidance(session: WanSession, model_folder: Path) -> None:
    clip, _ = render(session, recipe(guidance=Guidance(1.0, 1.0)))
    expected = pipeline_latents(model_folder, guidance_scale=1.0)
    np.testing.assert_allclose(latents(clip), expected, atol=1e-4)


def merged(factors: Factors, high: float, low: float) -> Callable[[WanPipeline], None]:
    """Adds a file's ΔW, formed densely in float64, to both experts' weights."""

    def merge(pipeline: WanPipeline) -> None:
        for model, strength in ((pipeline.transformer, high), (pipeline.transformer_2, low)):
            for module, dense in factors.dense.items():
                weight = model.get_submodule(module).weight
                weight.data = (weight.double() + strength * dense).float()

    return merge


@pytest.mark.parametrize("dialect", ["comfyui", "kohya", "diffusers", "bare", "loha", "lokr"])
def test_constant_strengths_equal_the_pipeline_with_merged_weights(
    session: WanSession, model_folder: Path, bare_latents: np.ndarray, tmp_path: Path, dialect: str
) -> None:
    file, factors = lora_file(tmp_path, dialect, tiny.transformer())
    report = session.attach("a", file)
    assert report.coverage.modules == report.coverage.of == len(factors.dense)
    clip, events = render(session, recipe(), Mix(1, (Strip("a", 0.8, -0.5),)))
    expected = pipeline_latents(model_folder, merged(factors, 0.8, -0.5), guidance_scale_2=3.0)
    np.testing.assert_allclose(latents(clip), expected, atol=1e-4)
    assert np.abs(expected - bare_latents).max() > 0.01
    for step in steps_of(events):
        assert step.strengths == (("a", 0.8 if step.expert == "high" else -0.5),)


def test_strength_zero_and_detached_are_the_bare_model_bit_for_bit(
    session: WanSession, tmp_path: Path
) -> None:
    bare, _ = render(session, recipe())
    file, _ = lora_file(tmp_path, "comfyui", tiny.transformer())
    session.attach("a", file)
    silent, _ = render(session, recipe(), Mix(1, (Strip("a", 0.0, 0.0),)))
    render(session, recipe(), Mix(2, (Strip("a", 1.0, 1.0),)))
    session.detach("a")
    detached, _ = render(session, recipe())
    assert np.array_equal(latents(silent), latents(bare))
    assert np.array_equal(latents(detached), latents(bare))


def test_a_fader_is_heard_at_the_next_step_and_the_recipe_repeats_it(
    session: WanSession, tmp_path: Path
) -> None:
    file, _ = lora_file(tmp_path, "kohya", tiny.transformer())
    session.attach("a", file)
    live = LiveControls(Mix(1, (Strip("a", 1.0, 1.0),)))
    heard: list[StepFinished] = []

    def move(event: Event) -> None:
        if isinstance(event, StepFinished):
            heard.append(event)
            if event.step == 2:
                live.mix = Mix(2, (Strip("a", -1.0, 0.25),))

    played = session.run(Generate(1, recipe(), live), move)
    assert [e.mix_revision for e in heard] == [1, 1, 1] + [2] * 5
    use = played.recipe.loras[0]
    assert use.per_step[:3] == (1.0, 1.0, 1.0) and use.per_step[-1] == 0.25
    again, _ = render(session, recipe(), Mix(9, (Strip("a", 0.0, 0.0, use.per_step),)))
    assert np.array_equal(latents(again), latents(played))


def test_events_tell_the_whole_run(session: WanSession) -> None:
    clip, events = render(session, recipe())
    started = next(e for e in events if isinstance(e, RunStarted))
    steps = steps_of(events)
    assert started.experts == tuple(s.expert for s in steps) and started.sigmas == tuple(
        s.sigma for s in steps
    )
    assert [s.step for s in steps] == list(range(8))
    assert {s.preview.shape for s in steps} == {(3, 32, 32, 3)}  # one picture per latent frame
    assert not any(s.preview.flags.writeable for s in steps)
    assert clip.frames.shape == (9, 32, 32, 3) and clip.frames.dtype == np.uint8


def test_cancel_stops_within_one_block(session: WanSession) -> None:
    live = LiveControls()
    model = session._loaded().experts["high"]
    entered: list[int] = []
    hooks = [b.register_forward_hook(lambda *_, n=n: entered.append(n)) for n, b in enumerate(model.blocks)]
    hooks.append(model.blocks[0].register_forward_hook(lambda *_: live.cancel()))
    with pytest.raises(Cancelled):
        session.run(Generate(1, recipe(), live), lambda _: None)
    for hook in hooks:
        hook.remove()
    assert entered == [0]
    clip, _ = render(session, recipe())
    assert clip.latents is not None


def test_numbers_that_blow_up_are_an_error_not_a_black_clip(session: WanSession, tmp_path: Path) -> None:
    file, _ = lora_file(tmp_path, "comfyui", tiny.transformer())
    session.attach("a", file)
    with pytest.raises(BadNumbers, match="step 1"):
        render(session, recipe(), Mix(1, (Strip("a", 1e38, 1e38),)))


def test_nothing_can_run_without_a_model() -> None:
    with pytest.raises(ModelFailed, match="No model"):
        render(WanSession("cpu"), recipe())


def test_a_file_for_another_width_is_refused_and_nothing_changes(session: WanSession, tmp_path: Path) -> None:
    bare, _ = render(session, recipe())
    wide = tiny.transformer()
    file, factors = lora_file(tmp_path, "comfyui", wide, width=64)
    assert factors.dense
    with pytest.raises(AdapterRefused, match="48"):
        session.attach("a", file)
    after, _ = render(session, recipe())
    assert np.array_equal(latents(after), latents(bare)) and after.recipe.loras == ()


def test_nan_weights_are_refused_by_name(session: WanSession, tmp_path: Path) -> None:
    file, _ = lora_file(tmp_path, "comfyui", tiny.transformer(), poison=True)
    with pytest.raises(AdapterRefused, match=r"blocks\.0\..*NaN"):
        session.attach("a", file)


def test_half_a_pair_is_refused_by_name(session: WanSession, tmp_path: Path) -> None:
    file, _ = lora_file(tmp_path, "comfyui", tiny.transformer(), drop="lora_up")
    with pytest.raises(AdapterRefused, match="half of it is missing"):
        session.attach("a", file)


def test_keys_for_both_experts_go_to_their_own(
    session: WanSession, model_folder: Path, tmp_path: Path
) -> None:
    file, factors = lora_file(tmp_path, "two experts", tiny.transformer())
    session.attach("a", file)
    clip, _ = render(session, recipe(), Mix(1, (Strip("a", 1.0, 1.0),)))

    def merge(pipeline: WanPipeline) -> None:
        for name, dense in factors.dense.items():
            component, module = name.split("/")
            weight = getattr(pipeline, component).get_submodule(module).weight
            weight.data = (weight.double() + dense).float()

    expected = pipeline_latents(model_folder, merge, guidance_scale_2=3.0)
    np.testing.assert_allclose(latents(clip), expected, atol=1e-4)


def test_strengths_per_step_of_a_run_of_other_length_leave_it_to_the_faders(
    session: WanSession, tmp_path: Path
) -> None:
    file, _ = lora_file(tmp_path, "bare", tiny.transformer())
    session.attach("a", file)
    mix = Mix(1, (Strip("a", 0.4, 0.6, (1.0, 1.0, 1.0)),))
    _, events = render(session, recipe(), mix)
    for step in steps_of(events):
        assert step.strengths == (("a", 0.4 if step.expert == "high" else 0.6),)


def test_a_curve_is_played_at_every_sigma_and_the_recipe_holds_both(
    session: WanSession, tmp_path: Path
) -> None:
    file, _ = lora_file(tmp_path, "comfyui", tiny.transformer())
    session.attach("a", file)
    rise = Curve((Point(1.0, -0.5), Point(0.9, 1.5)))
    fall = Curve((Point(0.8, 1.0, True), Point(0.4, 0.25)))
    played, events = render(session, recipe(), Mix(1, (Strip("a", 9.0, 9.0, (), rise, fall),)))
    use = played.recipe.loras[0]
    expected = [(rise if e.expert == "high" else fall).at(e.sigma) for e in steps_of(events)]
    assert list(use.per_step) == expected and len(set(expected)) > 3
    assert (use.high_curve, use.low_curve) == (rise, fall)
    again, _ = render(session, recipe(), Mix(2, (Strip("a", 0.0, 0.0, use.per_step, fall, rise),)))
    assert np.array_equal(latents(again), latents(played))
