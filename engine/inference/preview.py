"""A small picture of where a run is going: the x₀ estimate, made visible cheaply."""

import json
from functools import cache

import numpy as np
import torch
from torch import Tensor

import resources
from engine.inference.decode import Decoder, to_frames
from engine.messages import Frames

NO_PICTURE: Frames = np.empty((0, 0, 0, 3), np.uint8)


def estimate(latents: Tensor, sigma: float, velocity: Tensor) -> Tensor:
    """x₀ as the flow-matching model sees it from here: xₜ − σ·v."""
    return latents - sigma * velocity


class Previewer:
    """One picture per latent frame: decoded where the VAE is tiny, else latents projected to RGB.

    A latent frame decoded by itself, as if it were a clip's first, looks almost as it does in its clip
    and costs a fifteenth, since nothing is upsampled in time.
    """

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder

    def show(self, latents: Tensor) -> Frames:
        """Pictures of latents [1, C, F, H, W]."""
        latents = latents.nan_to_num()
        if not self._decoder.is_tiny:
            return project(latents)
        stills = latents[0].transpose(0, 1)[:, :, None]  # [F, C, 1, H, W]
        return to_frames(self._decoder.pictures(stills)[:, :, 0].permute(0, 2, 3, 1))


def project(latents: Tensor) -> Frames:
    """One RGB pixel per latent cell, one picture per latent frame."""
    factors, bias = _factors(latents.shape[1])
    rgb = torch.einsum("cfhw,cr->fhwr", latents[0].float().cpu(), factors) + bias
    return to_frames(rgb)


@cache
def _factors(channels: int) -> tuple[Tensor, Tensor]:
    """Factors [C, 3] and bias [3]; unknown latents show their first three channels."""
    table = json.loads(resources.path("preview_factors.json").read_text("utf-8"))
    if row := table.get(str(channels)):
        return torch.tensor(row["factors"]), torch.tensor(row["bias"])
    return torch.eye(channels, 3), torch.zeros(3)
