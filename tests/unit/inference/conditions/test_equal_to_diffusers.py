"""Every pipeline's final latents are diffusers' own, whatever pictures the model is given."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import WanImageToVideoPipeline, WanPipeline, WanVACEPipeline
from PIL import Image

from catalog.inputs import Inputs, Picture
from catalog.recipe import Guidance, Recipe
from engine import video
from engine.inference.session import WanSession
from engine.pictures import frames
from tests.lora_files import lora_file
from tests.tiny_seeing import Kind, picture, transformer
from tests.unit.inference.conditions.conftest import Opened
from tests.unit.inference.playing import PROMPT, faders, latents, recipe, render, steps_of

Folders = Callable[[Kind], Path]
FRAMES, STEPS = 9, 4
WITH_LORA = ("i2v 2.1", "vace 2.2", "ti2v")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("pictures")
    return picture(folder, 1), picture(folder, 2)


def asked(inputs: Inputs, **changes: Any) -> Recipe:
    return recipe(steps=STEPS, frames=FRAMES, inputs=inputs, **changes)


def by_diffusers(pipeline: Any, merge: Callable[[Any], None] = lambda _: None, **kwargs: Any) -> np.ndarray:
    pipeline.set_progress_bar_config(disable=True)
    merge(pipeline)
    call: dict[str, Any] = {
        "prompt": PROMPT, "negative_prompt": "blue", "width": 32, "height": 32, "num_frames": FRAMES,
        "num_inference_steps": STEPS, "guidance_scale": 4.0, "output_type": "latent",
        "generator": torch.Generator("cpu").manual_seed(3),
    }  # fmt: skip
    if pipeline.config.boundary_ratio is not None:
        call["guidance_scale_2"] = 3.0
    return pipeline(**(call | kwargs)).frames.numpy()


def as_pillow(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")


def check(ours: np.ndarray, theirs: np.ndarray) -> None:
    assert np.abs(theirs).max() > 0.1
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def start_and_end(pictures: tuple[Path, Path], kind: Kind) -> tuple[Inputs, dict[str, Any]]:
    first, last = (as_pillow(path) for path in pictures)
    if kind == "flf2v":
        return Inputs(Picture(str(pictures[0])), Picture(str(pictures[1]))), {
            "image": first,
            "last_image": last,
        }
    return Inputs(Picture(str(pictures[0]))), {"image": first}


@pytest.mark.parametrize("kind", ["i2v 2.1", "flf2v", "i2v 2.2"])
def test_image_to_video(folder_of: Folders, opened: Opened, pictures: tuple[Path, Path], kind: Kind) -> None:
    inputs, given = start_and_end(pictures, kind)
    clip, _ = render(opened(kind), asked(inputs))
    check(latents(clip), by_diffusers(WanImageToVideoPipeline.from_pretrained(folder_of(kind)), **given))
    assert clip.frames.shape == (FRAMES, 32, 32, 3)


def test_an_end_image_on_two_experts(folder_of: Folders, opened: Opened, pictures: tuple[Path, Path]) -> None:
    inputs, given = start_and_end(pictures, "flf2v")
    clip, _ = render(opened("i2v 2.2"), asked(inputs))
    theirs = by_diffusers(WanImageToVideoPipeline.from_pretrained(folder_of("i2v 2.2")), **given)
    check(latents(clip), theirs)


def test_text_to_video(folder_of: Folders, opened: Opened) -> None:
    clip, _ = render(opened("t2v"), asked(Inputs()))
    check(latents(clip), by_diffusers(WanPipeline.from_pretrained(folder_of("t2v"))))


@contextmanager
def timesteps_embedded(session: WanSession) -> Iterator[set[int]]:
    """For how many timesteps the embedding is computed in a pass."""
    counts: set[int] = set()
    embedder = session._loaded().experts["high"].condition_embedder.time_embedder
    hook = embedder.register_forward_hook(
        lambda _, given, __: counts.add(given[0].numel() // given[0].shape[-1])
    )
    yield counts
    hook.remove()


def test_ti2v_without_a_picture(folder_of: Folders, opened: Opened) -> None:
    session = opened("ti2v")
    with timesteps_embedded(session) as counts:
        clip, _ = render(session, asked(Inputs(), width=64, height=96))
    assert counts == {1}
    pipeline = WanPipeline.from_pretrained(folder_of("ti2v"))
    assert pipeline.config.expand_timesteps
    check(latents(clip), by_diffusers(pipeline, width=64, height=96))


def test_ti2v_with_a_picture(folder_of: Folders, opened: Opened, tmp_path: Path) -> None:
    start = picture(tmp_path, 5, (64, 96))
    session = opened("ti2v")
    with timesteps_embedded(session) as counts:
        clip, events = render(session, asked(Inputs(Picture(str(start))), width=64, height=96))
    assert counts == {2}
    pipeline = WanImageToVideoPipeline.from_pretrained(folder_of("ti2v"))
    theirs = by_diffusers(pipeline, image=as_pillow(start), width=64, height=96)
    check(latents(clip), theirs)
    firsts = [step.preview[0] for step in steps_of(events)]
    assert all(np.array_equal(first, firsts[0]) for first in firsts)  # the picture, from the first step on
    after, _ = render(session, asked(Inputs(), width=64, height=96))
    fresh, _ = render(opened("ti2v"), asked(Inputs(), width=64, height=96))
    assert np.array_equal(latents(after), latents(fresh))  # nothing of it is left in the model


def control_clip(folder: Path) -> tuple[Path, np.ndarray]:
    """A clip at the recipe's rate, and the frames that ffmpeg makes of it."""
    drawn = np.random.default_rng(8).integers(0, 256, (FRAMES, 4, 4, 3), np.uint8).repeat(8, 1).repeat(8, 2)
    path = folder / "control.webm"
    video.save(path, drawn, 16, Recipe())
    return path, frames(path, (32, 32), "crop", 16, FRAMES, lambda: None)


@pytest.mark.parametrize("kind", ["vace", "vace 2.2"])
def test_vace_with_references_and_a_control_clip(
    folder_of: Folders, opened: Opened, pictures: tuple[Path, Path], tmp_path: Path, kind: Kind
) -> None:
    path, frames = control_clip(tmp_path)
    references = tuple(Picture(str(p)) for p in pictures)
    inputs = Inputs(reference_images=references, control_video=Picture(str(path)), conditioning_scale=0.6)
    clip, events = render(opened(kind), asked(inputs))
    assert {len(step.preview) for step in steps_of(events)} == {3}  # none of the references
    theirs = by_diffusers(
        WanVACEPipeline.from_pretrained(folder_of(kind)),
        video=[Image.fromarray(frame) for frame in frames],
        reference_images=[as_pillow(p) for p in pictures],
        conditioning_scale=0.6,
    )
    check(latents(clip), theirs)
    assert clip.frames.shape == (FRAMES, 32, 32, 3)


def test_vace_without_any_picture(folder_of: Folders, opened: Opened) -> None:
    clip, _ = render(opened("vace"), asked(Inputs()))
    check(latents(clip), by_diffusers(WanVACEPipeline.from_pretrained(folder_of("vace"))))


def test_vace_between_two_pictures_along_a_control_clip(
    folder_of: Folders, opened: Opened, pictures: tuple[Path, Path], tmp_path: Path
) -> None:
    path, frames = control_clip(tmp_path)
    inputs, given = start_and_end(pictures, "flf2v")
    clip, _ = render(opened("vace"), asked(replace(inputs, control_video=Picture(str(path)))))
    whole = [given["image"], *(Image.fromarray(frame) for frame in frames[1:-1]), given["last_image"]]
    mask = [Image.new("L", (32, 32), 0 if i in (0, FRAMES - 1) else 255) for i in range(FRAMES)]
    pipeline = WanVACEPipeline.from_pretrained(folder_of("vace"))
    check(latents(clip), by_diffusers(pipeline, video=whole, mask=mask))


@pytest.mark.parametrize("kind", WITH_LORA)
def test_a_lora_on_a_model_that_sees(
    folder_of: Folders, opened: Opened, pictures: tuple[Path, Path], tmp_path: Path, kind: Kind
) -> None:
    file, factors = lora_file(tmp_path, "comfyui", transformer(kind))

    def merge(pipeline: Any) -> None:
        for model, strength in ((pipeline.transformer, 0.8), (pipeline.transformer_2, -0.5)):
            for module, dense in factors.dense.items() if model else ():
                weight = model.get_submodule(module).weight
                weight.data = (weight.double() + strength * dense).float()

    session = opened(kind)
    session.attach("a", file)
    start = picture(tmp_path, 5, (64, 64))
    if kind == "vace 2.2":
        inputs = Inputs(reference_images=(Picture(str(start)),))
        pipeline, given = WanVACEPipeline, {"reference_images": [as_pillow(start)]}
    else:
        inputs = Inputs(Picture(str(start)))
        pipeline, given = WanImageToVideoPipeline, {"image": as_pillow(start)}
    clip, _ = render(session, asked(inputs, width=64, height=64), faders(0.8, -0.5))
    folder = folder_of(kind)
    theirs = by_diffusers(pipeline.from_pretrained(folder), merge, width=64, height=64, **given)
    check(latents(clip), theirs)


def test_one_pass_where_this_experts_guidance_is_one(
    folder_of: Folders, opened: Opened, pictures: tuple[Path, Path]
) -> None:
    session = opened("i2v 2.2")
    passes: list[str] = []
    experts = session._loaded().experts
    hooks = [
        model.register_forward_hook(lambda *_, expert=expert: passes.append(expert))
        for expert, model in experts.items()
    ]
    inputs, given = start_and_end(pictures, "i2v 2.2")
    clip, _ = render(session, asked(inputs, guidance=Guidance(4.0, 1.0)))
    for hook in hooks:
        hook.remove()
    theirs = by_diffusers(
        WanImageToVideoPipeline.from_pretrained(folder_of("i2v 2.2")), guidance_scale_2=1.0, **given
    )
    check(latents(clip), theirs)
    assert passes.count("high") == 2 * (STEPS - passes.count("low")) and passes.count("low") > 0
