"""Phantom: latents are those of its authors' formulas, written out here with nothing of the engine in them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import WanPipeline
from PIL import Image
from torch import Tensor

from catalog.computing import Computing, FirstBlock
from catalog.errors import BadRecipe
from catalog.inputs import Inputs, Picture
from catalog.recipe import Guidance, Recipe
from engine.inference.session import WanSession
from tests.lora_files import lora_file
from tests.tiny_seeing import picture, transformer
from tests.unit.inference.conditions.conftest import Opened
from tests.unit.inference.conditions.test_equal_to_diffusers import Folders
from tests.unit.inference.playing import PROMPT, faders, latents, recipe, render, steps_of

FRAMES, STEPS, CLIP = 9, 4, 3
BLOCKS = 2


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """One as large as the clip, one half as wide, so that white is beside it."""
    folder = tmp_path_factory.mktemp("subjects")
    return picture(folder, 1), picture(folder, 2, (16, 32))


def asked(pictures: tuple[Path, ...], guidance: float, scale: float = 1.0, **changes: Any) -> Recipe:
    inputs = Inputs(reference_images=tuple(Picture(str(p)) for p in pictures), conditioning_scale=scale)
    settings = {"steps": STEPS, "frames": FRAMES, "guidance": Guidance(guidance, guidance)}
    return recipe(**(settings | changes), inputs=inputs)


def encoded(vae: Any, path: Path) -> Tensor:
    """The latents [1, 16, 1, 4, 4] of a picture whole and on white."""
    white = Image.new("RGB", (32, 32), "white")
    with Image.open(path) as image:
        white.paste(image, ((32 - image.width) // 2, 0))
    pixels = torch.from_numpy(np.asarray(white).copy()).float() / 127.5 - 1
    raw = vae.encode(pixels.permute(2, 0, 1)[None, :, None]).latent_dist.mode()
    mean, std = (
        torch.tensor(v).view(1, -1, 1, 1, 1) for v in (vae.config.latents_mean, vae.config.latents_std)
    )
    return (raw - mean) / std


@torch.inference_mode()
def by_the_formulas(
    folder: Path,
    pictures: tuple[Path, ...],
    towards_subjects: float,
    towards_prompt: float,
    merge: Callable[[Any], None] = lambda _: None,
) -> tuple[Tensor, Tensor]:
    """The clip's latents and those of the pictures."""
    pipeline = WanPipeline.from_pretrained(folder)
    merge(pipeline)
    model, scheduler = pipeline.transformer, pipeline.scheduler
    prompt, negative = pipeline.encode_prompt(PROMPT, "blue", max_sequence_length=512)
    subjects = torch.cat([encoded(pipeline.vae, path) for path in pictures], dim=2)
    count = len(pictures)
    x = torch.randn(1, 16, CLIP + count, 4, 4, generator=torch.Generator().manual_seed(3))
    scheduler.set_timesteps(STEPS)
    for t in scheduler.timesteps:

        def predicted(behind: Tensor, words: Tensor, t: Tensor = t, x: Tensor = x) -> Tensor:
            clip = torch.cat([x[:, :, :CLIP], behind], dim=2)
            return model(clip, t[None], words, return_dict=False)[0]

        neg = predicted(torch.zeros_like(subjects), negative)
        pos_i = predicted(subjects, negative)
        pos_it = predicted(subjects, prompt)
        velocity = neg + towards_subjects * (pos_i - neg) + towards_prompt * (pos_it - pos_i)
        x = scheduler.step(velocity, t, x, return_dict=False)[0]
    return x[:, :, :CLIP], subjects


@contextmanager
def computed(session: WanSession) -> Iterator[list[int]]:
    """Counts the blocks that are computed."""
    counts: list[int] = []
    blocks = session._loaded().experts["high"].blocks
    hooks = [block.ffn.register_forward_hook(lambda *_: counts.append(1)) for block in blocks]
    yield counts
    for hook in hooks:
        hook.remove()


def check(clip: np.ndarray, theirs: Tensor, subjects: Tensor) -> None:
    assert theirs.abs().max() > 0.1
    np.testing.assert_allclose(clip[:, :, :CLIP], theirs.numpy(), atol=1e-4)
    np.testing.assert_allclose(clip[:, :, CLIP:], subjects.numpy(), atol=1e-4)


@pytest.mark.parametrize(
    ("guidance", "scale", "passes"),
    [(7.5, 1.0, 3), (4.0, 0.6, 3), (5.0, 1.0, 2), (3.0, 0.2, 2), (2.0, 0.0, 3)],
)
def test_latents_are_those_of_the_formulas(
    folder_of: Folders,
    opened: Opened,
    pictures: tuple[Path, Path],
    guidance: float,
    scale: float,
    passes: int,
) -> None:
    session = opened("phantom")
    with computed(session) as blocks:
        clip, events = render(session, asked(pictures, guidance, scale))
    check(latents(clip), *by_the_formulas(folder_of("phantom"), pictures, 5 * scale, guidance))
    assert clip.frames.shape == (FRAMES, 32, 32, 3)
    assert {len(step.preview) for step in steps_of(events)} == {CLIP}, "none of the subjects"
    assert len(blocks) == passes * BLOCKS * STEPS


def test_with_guidance_off_there_is_one_pass_and_it_sees_the_subjects(
    folder_of: Folders, opened: Opened, pictures: tuple[Path, Path]
) -> None:
    session = opened("phantom")
    with computed(session) as blocks:
        clip, _ = render(session, asked(pictures, 1.0))
    check(latents(clip), *by_the_formulas(folder_of("phantom"), pictures, 1.0, 1.0))
    assert len(blocks) == BLOCKS * STEPS
    other, _ = render(session, asked(pictures, 1.0, negative_prompt="green"), run=2)
    assert np.array_equal(latents(other), latents(clip))


def test_a_lora_beside_the_layers_is_one_merged_into_them(
    folder_of: Folders, opened: Opened, pictures: tuple[Path, Path], tmp_path: Path
) -> None:
    file, factors = lora_file(tmp_path, "comfyui", transformer("phantom"))

    def merge(pipeline: Any) -> None:
        for module, dense in factors.dense.items():
            weight = pipeline.transformer.get_submodule(module).weight
            weight.data = (weight.double() + 0.8 * dense).float()

    session, one = opened("phantom"), pictures[:1]
    session.attach("a", file)
    clip, events = render(session, asked(one, 7.5), faders(0.8, -0.5))
    check(latents(clip), *by_the_formulas(folder_of("phantom"), one, 5.0, 7.5, merge))
    without, _ = by_the_formulas(folder_of("phantom"), one, 5.0, 7.5)
    assert np.abs(latents(clip)[:, :, :CLIP] - without.numpy()).max() > 0.01
    assert all(dict(step.meters)["a"] > 0 for step in steps_of(events))


def test_a_step_cache_keeps_its_three_passes_apart(opened: Opened, pictures: tuple[Path, Path]) -> None:
    session = opened("phantom")
    usual, _ = render(session, asked(pictures, 7.5))
    careful, _ = render(session, asked(pictures, 7.5, computing=Computing(cache=FirstBlock(1e-6))), run=2)
    assert np.array_equal(latents(careful), latents(usual))
    with computed(session) as blocks:
        render(session, asked(pictures, 7.5, computing=Computing(cache=FirstBlock(1.0))), run=3)
    assert len(blocks) == 3 * BLOCKS + 3 * (STEPS - 1), (
        "after the first step only the first block of each pass"
    )


def test_without_a_subject_it_is_refused(opened: Opened) -> None:
    with pytest.raises(BadRecipe, match="needs reference images"):
        render(opened("phantom"), asked((), 7.5))
