"""Pixels → what a model sees of them: latents by the VAE, tokens by the image encoder."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl_wan import patchify
from PIL import Image
from torch import Tensor, nn

from engine.errors import BadNumbers
from engine.inference.checkpoints.components import Components
from engine.inference.conditions import tiles
from engine.pictures import Pixels


class PictureEncoder:
    """The way in of a model's VAE, and its image encoder where it has one."""

    def __init__(self, parts: Components) -> None:
        self._vae, self._device = parts.vae, parts.device
        self._image_encoder, self._image_processor = parts.image_encoder, parts.image_processor
        config = parts.vae.config
        shape = (1, config.z_dim, 1, 1, 1)
        self._mean = torch.tensor(config.latents_mean).view(shape)
        self._scale = 1.0 / torch.tensor(config.latents_std).view(shape)
        self.frame_stride: int = config.scale_factor_temporal
        self.pixel_stride: int = config.scale_factor_spatial
        self.is_tiled = False
        """Whether pictures are encoded tile by tile: the same within rounding, in less memory and more time."""

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
        """Frames [F, H, W, 3] → [1, 3, F, H, W] in −1…1, on the host."""
        return (2 * (torch.from_numpy(pixels.copy()).float() / 255) - 1).permute(3, 0, 1, 2)[None]

    def latents(self, video: Tensor) -> Tensor:
        """Model-space latents [1, C, F, h, w] of a clip in −1…1: the likeliest, so that no chance is in them."""
        answers = (
            tiles.encoded(self._vae, list(self._pieces(video))) if self.is_tiled else self._chunks(video)
        )
        moments: Tensor = self._vae.quant_conv(torch.cat(list(answers), dim=2))
        raw = moments.chunk(2, dim=1)[0].float()
        latents: Tensor = (raw - self._mean.to(raw)) * self._scale.to(raw)
        if not torch.isfinite(latents).all():
            raise BadNumbers("The encoded picture holds NaN or infinite numbers.", "Choose another picture.")
        return latents.to(self._device)

    def _chunks(self, video: Tensor) -> Iterator[Tensor]:
        """What the VAE makes of every piece of a clip.

        This is the loop of diffusers' AutoencoderKLWan, which wants the whole clip on the device.
        """
        vae = self._vae
        vae.clear_cache()
        try:
            for piece in self._pieces(video):
                vae._enc_conv_idx = [0]
                here = piece.to(vae.device)
                yield vae.encoder(here, feat_cache=vae._enc_feat_map, feat_idx=vae._enc_conv_idx)
        finally:
            vae.clear_cache()  # a cancel must not leave frames behind

    def _pieces(self, video: Tensor) -> Iterator[Tensor]:
        """The first frame, and every further four, as the VAE has them, on the host."""
        patch = self._vae.config.patch_size
        for piece in (video[:, :, :1], *torch.split(video[:, :, 1:], self.frame_stride, dim=2)):
            if piece.shape[2]:  # else a clip of one frame
                piece = piece.to(self._vae.dtype)
                yield piece if patch is None else patchify(piece, patch_size=patch)

    def tokens(self, pictures: Sequence[Pixels]) -> Tensor:
        """The image encoder's tokens [pictures, tokens, width] of pictures [H, W, 3], from its last layer but one.

        It is asked once per picture and stays on the host, in float32.
        """
        encoder: Any = self._image_encoder
        images = [Image.fromarray(picture) for picture in pictures]
        pixels = self._image_processor(images=images, return_tensors="pt").to(encoder.device, encoder.dtype)
        states: Tensor = encoder(**pixels, output_hidden_states=True).hidden_states[-2]
        return states.to(self._device)
