"""Latents → frames."""

import numpy as np
import torch
from diffusers import AutoencoderKLWan
from torch import Tensor, nn

from engine.errors import BadNumbers
from engine.messages import Frames


class Decoder:
    """The VAE's way out: model-space latents to pictures. A tiny one can be used after every step."""

    def __init__(self, vae: AutoencoderKLWan) -> None:
        self._vae = vae
        shape = (1, vae.config.z_dim, 1, 1, 1)
        self._mean = torch.tensor(vae.config.latents_mean, device=vae.device).view(shape)
        self._std = torch.tensor(vae.config.latents_std, device=vae.device).view(shape)
        self.is_tiny = sum(p.numel() for p in vae.parameters()) < 5_000_000

    @property
    def blocks(self) -> list[nn.Module]:
        """The pieces between which a decode can be cancelled."""
        return [self._vae.decoder.mid_block, *self._vae.decoder.up_blocks]

    def decode(self, latents: Tensor) -> Frames:
        """Frames of latents [1, C, F, H, W]; raises BadNumbers rather than show NaN as black."""
        video = self.pictures(latents)
        if not torch.isfinite(video).all():
            raise BadNumbers("The decoded picture holds NaN or infinite numbers.")
        return to_frames(video[0].permute(1, 2, 3, 0))

    def pictures(self, latents: Tensor) -> Tensor:
        """Pictures [B, 3, T, H, W] in −1…1 of latents [B, C, F, H, W]."""
        latents = latents.to(self._vae.device, self._vae.dtype)
        video: Tensor = self._vae.decode(latents * self._std + self._mean, return_dict=False)[0]
        return video


def to_frames(pictures: Tensor) -> Frames:
    """Pictures [F, H, W, 3] in −1…1 → read-only uint8."""
    pixels = ((pictures.float() / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()
    frames = np.ascontiguousarray(pixels)
    frames.flags.writeable = False
    return frames
