"""What the VAE makes of pictures is bit for bit what diffusers' own call makes of them."""

import numpy as np
import pytest
import torch

from engine.inference.conditions.encoder import PictureEncoder
from tests.tiny_seeing import Kind
from tests.unit.inference.conditions.conftest import Opened


@pytest.mark.parametrize("kind", ["i2v 2.2", "ti2v"])
@pytest.mark.parametrize("frames", [1, 5, 9])
def test_latents_are_those_of_the_whole_call(opened: Opened, kind: Kind, frames: int) -> None:
    parts = opened(kind)._loaded()
    encoder, vae = PictureEncoder(parts), parts.vae
    video = encoder.video(np.random.default_rng(frames).integers(0, 256, (frames, 32, 48, 3), np.uint8))
    assert video.min() >= -1 and video.max() <= 1
    raw = vae.encode(video).latent_dist.mode()
    shape = (1, -1, 1, 1, 1)
    mean, std = (
        torch.tensor(values).view(shape) for values in (vae.config.latents_mean, vae.config.latents_std)
    )
    assert torch.equal(encoder.latents(video), (raw - mean) * (1 / std))
    assert raw.shape[2] == (frames - 1) // 4 + 1
