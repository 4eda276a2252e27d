"""Pixels → what a model sees of them: latents by the VAE, tokens by the image encoder."""

from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from engine.errors import BadNumbers
from engine.inference.checkpoints.components import Components
from engine.pictures import Pixels


class PictureEncoder:
    """The way in of a model's VAE, and its image encoder where it has one."""

    def __init__(self, parts: Components) -> None:
        self._vae, self.device = parts.vae, parts.device
        self._image_encoder, self._image_processor = parts.image_encoder, parts.image_processor
        config = parts.vae.config
        shape = (1, config.z_dim, 1, 1, 1)
        self._mean = torch.tensor(config.latents_mean).view(shape)
        self._scale = 1.0 / torch.tensor(config.latents_std).view(shape)
        self.frame_stride: int = config.scale_factor_temporal
        self.pixel_stride: int = config.scale_factor_spatial

    @property
    def blocks(self) -> list[nn.Module]:
        """The pieces between which encoding can be cancelled."""
        encoder = self._vae.encoder
        layers: list[nn.Module] = []
        if self._image_encoder is not None:
            seeing = getattr(self._image_encoder, "vision_model", self._image_encoder)  # until transformers 5
            layers = list(seeing.encoder.layers)
        return [*encoder.down_blocks, encoder.mid_block, *layers]

    def video(self, pixels: Pixels) -> Tensor:
        """Frames [F, H, W, 3] → [1, 3, F, H, W] in −1…1, on the model's device."""
        values = torch.from_numpy(pixels.copy()).to(self.device).float() / 255
        return (2 * values - 1).permute(3, 0, 1, 2)[None]

    def latents(self, video: Tensor) -> Tensor:
        """Model-space latents [1, C, F, h, w] of a clip in −1…1: the likeliest, so that no chance is in them."""
        raw = self._vae.encode(video.to(self._vae.device, self._vae.dtype)).latent_dist.mode().float()
        latents: Tensor = (raw - self._mean.to(raw)) * self._scale.to(raw)
        if not torch.isfinite(latents).all():
            raise BadNumbers("The encoded picture holds NaN or infinite numbers.", "Choose another picture.")
        return latents.to(self.device)

    def tokens(self, pictures: Sequence[Pixels]) -> Tensor:
        """The image encoder's tokens [pictures, tokens, width] of pictures [H, W, 3], from its last layer but one.

        It is asked once per picture and stays on the host, in float32.
        """
        encoder: Any = self._image_encoder
        images = [Image.fromarray(picture) for picture in pictures]
        pixels = self._image_processor(images=images, return_tensors="pt").to(encoder.device, encoder.dtype)
        states: Tensor = encoder(**pixels, output_hidden_states=True).hidden_states[-2]
        return states.to(self.device)
