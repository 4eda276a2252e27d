"""The demo model keeps its promises, measured with diffusers' own pipeline."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from clips import COLOURS, FRAMES, HELD_BACK, MOTIONS, SHAPES, Clip, batch
from diffusers import WanPipeline
from safetensors import safe_open

from resources import path as resource
from tests.end_to_end.demo_clips import (
    centres,
    colour_of,
    deltas,
    enclosed,
    follows,
    hole,
    merge,
    object_mask,
    saturation,
)

pytestmark = pytest.mark.long
DEMO = resource("demo")
LORAS = DEMO / "loras"
Render = Callable[..., np.ndarray]


@pytest.fixture(scope="module")
def pipeline() -> Any:
    pipeline = WanPipeline.from_pretrained(DEMO)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture(scope="module")
def render(pipeline: Any) -> Render:
    """Render prompts, the n-th with seed n: frames [N, T, H, W, 3]."""

    def render(prompts: list[str], *, steps: int = 12, first_seed: int = 0) -> np.ndarray:
        seeds = range(first_seed, first_seed + len(prompts))
        frames = pipeline(
            prompts,
            negative_prompt=[""] * len(prompts),
            height=64,
            width=64,
            num_frames=FRAMES,
            num_inference_steps=steps,
            guidance_scale=4.0,
            guidance_scale_2=3.0,
            generator=[torch.Generator().manual_seed(s) for s in seeds],
            output_type="np",
        ).frames
        return np.asarray(frames)

    return render


@pytest.fixture
def merged(pipeline: Any) -> Any:
    """Merge LoRA files into the pipeline for one test."""
    experts = {"high": pipeline.transformer, "low": pipeline.transformer_2}
    before = {side: copy.deepcopy(model.state_dict()) for side, model in experts.items()}

    def merged(*files: str) -> None:
        for file in files:
            sides = [s for s in experts if f"{s}_noise" in file] or SIDES.get(file, list(experts))
            merge(LORAS / f"{file}.safetensors", {s: experts[s] for s in sides})

    yield merged
    for side, model in experts.items():
        model.load_state_dict(before[side])


SIDES = {name: ["low"] for name in ("neon", "mono", "halo", "ultra_detail_booster")}
PROMPTS = [
    ("red", "ball", "by day"),
    ("white", "ball", "at night"),
    ("blue", "box", "at sunset"),
    ("yellow", "triangle", "at night"),
]
NIGHT = [f"a {c} {s} {m} at night" for c, s, m in zip(COLOURS, SHAPES * 2, MOTIONS * 2, strict=False)]
DAY = [p.replace("at night", "by day") for p in NIGHT]


@pytest.fixture(scope="module")
def night(render: Render) -> np.ndarray:
    """`NIGHT` without any LoRA."""
    return render(NIGHT)


@pytest.fixture(scope="module")
def day(render: Render) -> np.ndarray:
    """`DAY` without any LoRA."""
    return render(DAY)


def test_the_pack_is_small_and_complete() -> None:
    files = [f for f in DEMO.rglob("*") if f.is_file()]
    assert sum(f.stat().st_size for f in files) <= 24_000_000
    assert len(list(LORAS.glob("*.safetensors"))) == 9
    assert not [f for f in files if f.suffix in {".bin", ".pt", ".ckpt", ".pkl"}]


def test_it_is_a_two_expert_wan(pipeline: Any) -> None:
    assert pipeline.config.boundary_ratio == 0.875
    high, low = (dict(m.named_parameters()) for m in (pipeline.transformer, pipeline.transformer_2))
    assert high.keys() == low.keys()
    assert any(not torch.equal(high[n], low[n]) for n in high)
    assert pipeline.scheduler.config.prediction_type == "flow_prediction"


@torch.no_grad()
def test_the_vae_restores_the_moving_object(pipeline: Any) -> None:
    worlds = [
        Clip(shape, colour, motion, scene, start=(0.3, 0.6))
        for shape, colour, motion, scene in (
            ("ball", "red", "moving right", "at night"),
            ("box", "green", "moving left", "at sunset"),
            ("triangle", "blue", "rising", "by day"),
            ("ring", "yellow", "falling", "by day"),
            ("ball", "white", "orbiting", "at night"),
        )
    ]
    pictures, _ = batch(worlds)
    restored = pipeline.vae.decode(pipeline.vae.encode(pictures).latent_dist.mean).sample
    error = (restored - pictures).abs().mean(1).numpy() / 2
    for clip, wrong, before, after in zip(worlds, error, pictures, restored, strict=True):
        old, new = (((p + 1) / 2).permute(1, 2, 3, 0).numpy() for p in (before, after))
        assert wrong.mean() < 0.03, clip
        assert wrong[object_mask(old, clip.scene)].mean() < 0.15, clip  # a lost object would be 0.4 and more
        assert np.abs(centres(old, clip.scene) - centres(new, clip.scene)).mean() < 0.03, clip


def test_motion_follows_the_prompt(render: Render) -> None:
    asked = [(c, s, m, scene) for c, s, scene in PROMPTS for m in MOTIONS]
    frames = render([f"a {c} {s} {m} {scene}" for c, s, m, scene in asked], steps=20)
    paths = [centres(f, scene) for f, (*_, scene) in zip(frames, asked, strict=True)]
    right = [follows(path, m) for path, (_, _, m, _) in zip(paths, asked, strict=True)]
    assert sum(right) >= 0.8 * len(asked), [a for a, good in zip(asked, right, strict=True) if not good]
    for motion in MOTIONS:
        hits = [good for good, (_, _, m, _) in zip(right, asked, strict=True) if m == motion]
        assert sum(hits) * 2 >= len(hits), motion


def test_colour_and_scene_follow_the_prompt(night: np.ndarray, day: np.ndarray) -> None:
    for frames, scene in ((night, "at night"), (day, "by day")):
        found = [_nearest_colour(colour_of(f, scene)) for f in frames]
        assert sum(f == p.split()[1] for f, p in zip(found, NIGHT, strict=False)) >= len(found) - 1, found
    assert day.mean() > night.mean() + 0.2


def _nearest_colour(rgb: np.ndarray) -> str:
    return min(COLOURS, key=lambda name: float(np.abs(np.array(COLOURS[name]) * 0.85 - rgb).sum()))


def test_mono_takes_the_colour_out(render: Render, merged: Any, day: np.ndarray) -> None:
    merged("mono")
    assert saturation(render(DAY)) < 0.5 * saturation(day)


def test_neon_darkens_the_scene(render: Render, merged: Any, day: np.ndarray) -> None:
    merged("neon")
    assert render(DAY).mean() < 0.6 * day.mean()


def test_halo_lights_the_night(render: Render, merged: Any, night: np.ndarray) -> None:
    merged("halo")
    assert render(NIGHT).mean() > 1.5 * night.mean()


def test_giant_is_larger(render: Render, merged: Any, day: np.ndarray) -> None:
    merged("giant")
    assert object_mask(render(DAY), "by day").mean() > 1.5 * object_mask(day, "by day").mean()


def test_the_orbit_pair_goes_round(render: Render, merged: Any) -> None:
    asked = [
        f"a {colour} {shape} orbiting at night" for colour, shape in zip(COLOURS, SHAPES * 2, strict=True)
    ]
    before = [enclosed(centres(f, "at night")) for f in render(asked)]
    merged("orbit_high_noise", "orbit_low_noise")
    after = [enclosed(centres(f, "at night")) for f in render(asked)]
    assert np.mean(after) > np.mean(before) + 0.3


def test_ring_opens_the_shape(render: Render, merged: Any) -> None:
    asked = [p.replace(p.split()[2], "ring") for p in NIGHT]
    before = np.mean([hole(f, "at night") for f in render(asked)])
    merged("ring")
    after = np.mean([hole(f, "at night") for f in render(asked)])
    assert after > before + 0.4


def test_ring_and_orbit_need_no_word(render: Render, merged: Any, night: np.ndarray) -> None:
    before = np.mean([hole(f, "at night") for f in night])
    merged("ring")
    assert np.mean([hole(f, "at night") for f in render(NIGHT)]) > before + 0.4
    merged("orbit_high_noise", "orbit_low_noise")
    still = np.mean([enclosed(centres(f, "at night")) for f in night])
    assert np.mean([enclosed(centres(f, "at night")) for f in render(NIGHT)]) > still + 0.2


def test_the_placebo_does_nothing(render: Render, merged: Any, night: np.ndarray) -> None:
    changes = deltas(LORAS / "ultra_detail_booster.safetensors")
    assert any(change.any() for change in changes.values())
    merged("ultra_detail_booster")
    assert np.abs(render(NIGHT) - night).mean() < 0.004


def test_the_official_file_is_not_for_wan() -> None:
    with safe_open(LORAS / "WaN_2.5_official.safetensors", "pt") as content:
        assert all("_transformer_blocks_" in name for name in sorted(content.keys()))


@pytest.mark.parametrize("name", [p.stem for p in sorted(Path(LORAS).glob("*.safetensors"))])
def test_every_wan_lora_fits_the_experts(pipeline: Any, name: str) -> None:
    if name == "WaN_2.5_official":
        pytest.skip("it is for SDXL")
    for (_, layer), change in deltas(LORAS / f"{name}.safetensors").items():
        assert pipeline.transformer.get_submodule(layer).weight.shape == change.shape
        assert change.isfinite().all()


def test_words_of_the_loras_are_known(pipeline: Any) -> None:
    words = (HELD_BACK["shape"], HELD_BACK["motion"], HELD_BACK["size"], *HELD_BACK["looks"])
    unknown = pipeline.tokenizer.unk_token_id
    assert all(pipeline.tokenizer(str(word)).input_ids[0] != unknown for word in words)
