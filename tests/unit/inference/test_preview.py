"""Previews: a still per latent frame, and colours where decoding would cost too much."""

import numpy as np
import torch

from engine.inference.decode import Decoder
from engine.inference.preview import Previewer, estimate, project
from tests import tiny


def test_the_first_preview_picture_is_the_clips_first_frame() -> None:
    decoder = Decoder(tiny.vae())
    latents = torch.randn(1, 16, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    stills = Previewer(decoder).show(latents)
    assert stills.shape == (3, 32, 32, 3)
    assert np.abs(stills[0].astype(int) - decoder.decode(latents)[0].astype(int)).max() <= 1


def test_projection_gives_a_pixel_per_cell_and_follows_the_factors() -> None:
    grey = project(torch.zeros(1, 16, 2, 3, 5))
    assert grey.shape == (2, 3, 5, 3)
    bias = np.array([-0.27027, -0.234976, -0.456853])
    assert np.allclose(grey[0, 0, 0], np.round((bias / 2 + 0.5) * 255), atol=1)
    latents = torch.zeros(1, 16, 1, 1, 1)
    latents[0, 3] = 1.0  # channel 3 is mostly green
    brighter = project(latents)[0, 0, 0].astype(int) - grey[0, 0, 0]
    assert brighter[1] == max(brighter) > 0


def test_nan_shows_as_something_instead_of_failing() -> None:
    assert Previewer(Decoder(tiny.vae())).show(torch.full((1, 16, 1, 4, 4), float("nan"))).shape == (
        1,
        32,
        32,
        3,
    )


def test_the_estimate_is_the_clean_latents_when_the_velocity_is_right() -> None:
    clean, noise = torch.randn(2, 1, 16, 1, 2, 2).unbind()
    noisy = 0.7 * noise + 0.3 * clean
    torch.testing.assert_close(estimate(noisy, 0.7, noise - clean), clean)
