"""Latents → frames."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify
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

    def shape(self, latents: Tensor) -> tuple[int, int, int]:
        """Frames, height and width of the pictures of latents [1, C, F, H, W]."""
        config = self._vae.config
        count, height, width = latents.shape[2:]
        spatial = config.scale_factor_spatial
        return (count - 1) * config.scale_factor_temporal + 1, height * spatial, width * spatial

    def decode(
        self, latents: Tensor, is_tiled: bool = False, show: Callable[[Frames], None] | None = None
    ) -> Frames:
        """Frames of latents [1, C, F, H, W]; `show` gets them as soon as they are there, some at a time.

        Raises BadNumbers rather than show NaN as black.
        """
        frames = np.empty((*self.shape(latents), 3), np.uint8)
        done = 0
        for video in self.tiled(latents) if is_tiled else self.chunks(latents):
            if not torch.isfinite(video).all():
                raise BadNumbers("The decoded picture holds NaN or infinite numbers.")
            pictures = to_frames(video[0].permute(1, 2, 3, 0))
            piece = frames[done : done + len(pictures)]
            piece[:] = pictures
            piece.flags.writeable = False
            if show:
                show(piece)
            done += len(pictures)
        assert done == len(frames)
        frames.flags.writeable = False
        return frames

    def chunks(self, latents: Tensor) -> Iterator[Tensor]:
        """Pictures [1, 3, T, H, W] in −1…1 of one latent frame after the other, bit for bit those of `pictures`.

        This is the loop of diffusers' AutoencoderKLWan, which gathers all of them before it gives any.
        """
        vae = self._vae
        vae.clear_cache()
        try:
            values = vae.post_quant_conv(self._stored(latents))
            for index in range(values.shape[2]):
                vae._conv_idx = [0]
                first = {"first_chunk": True} if index == 0 else {}
                part = values[:, :, index : index + 1]
                video = vae.decoder(part, feat_cache=vae._feat_map, feat_idx=vae._conv_idx, **first)
                if vae.config.patch_size is not None:
                    video = unpatchify(video, patch_size=vae.config.patch_size)
                yield video.clamp(-1, 1)
        finally:
            vae.clear_cache()  # a cancel must not leave frames behind

    def tiled(self, latents: Tensor) -> Iterator[Tensor]:
        """Pictures of all latent frames, tile by tile where they are large: less memory, and seams may show."""
        self._vae.enable_tiling()
        try:
            yield self.pictures(latents)
        finally:
            self._vae.disable_tiling()
            self._vae.clear_cache()

    def pictures(self, latents: Tensor) -> Tensor:
        """Pictures [B, 3, T, H, W] in −1…1 of latents [B, C, F, H, W]."""
        video: Tensor = self._vae.decode(self._stored(latents), return_dict=False)[0]
        return video

    def _stored(self, latents: Tensor) -> Tensor:
        """Model-space latents as the VAE has them."""
        return latents.to(self._vae.device, self._vae.dtype) * self._std + self._mean


def to_frames(pictures: Tensor) -> Frames:
    """Pictures [F, H, W, 3] in −1…1 → read-only uint8."""
    pixels = ((pictures.float() / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()
    frames = np.ascontiguousarray(pixels)
    frames.flags.writeable = False
    return frames
