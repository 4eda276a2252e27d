"""I2V and FLF2V: the pictures' latents in channels of their own, and for Wan 2.1 an image encoder's tokens."""

import torch
from torch import Tensor
from torch.nn.functional import pad

from catalog.recipe import Recipe
from engine.inference.conditions.conditions import Arguments, Conditions, Encoded
from engine.inference.conditions.encoder import PictureEncoder
from engine.inference.conditions.given import Given


class Channels(Conditions):
    """`condition` is [1, 4 + C, F, h, w], `tokens` are [pictures, tokens, width] or None."""

    def __init__(self, condition: Tensor, tokens: Tensor | None = None) -> None:
        self._condition, self._tokens = condition, tokens

    def arguments(self, latents: Tensor, timestep: Tensor, dtype: torch.dtype) -> Arguments:
        """The latents with the condition behind them, and the tokens."""
        joined = torch.cat([latents, self._condition], dim=1)
        tokens = None if self._tokens is None else self._tokens.to(dtype)
        return {**super().arguments(joined, timestep, dtype), "encoder_hidden_states_image": tokens}


class ChannelsSight:
    """Sees a start image, and maybe an end image."""

    def __init__(self, encoder: PictureEncoder, has_image_branch: bool) -> None:
        self._encoder, self._has_image_branch = encoder, has_image_branch

    def encode(self, given: Given) -> Encoded:
        """The channels, and the tokens for a model that reads them."""
        pictures = [picture for picture in (given.start(), given.end()) if picture is not None]
        videos = [self._encoder.video(picture) for picture in pictures]
        channels = _channels(self._encoder, videos, given.frames)
        if not self._has_image_branch:
            return (channels,)
        return channels, self._encoder.tokens([picture[0] for picture in pictures])

    def conditions(self, recipe: Recipe, encoded: Encoded) -> Conditions:
        """The same for every strength and scale."""
        return Channels(*encoded)


def _channels(encoder: PictureEncoder, pictures: list[Tensor], frames: int) -> Tensor:
    """The channels of a clip of so many frames that begins, and maybe ends, with pictures [1, 3, 1, H, W].

    Four of them say which of the four frames of each latent frame are given, the others are latents of the
    clip with grey for all that is not.
    """
    start, *end = pictures
    video = torch.cat([pad(start, (0, 0, 0, 0, 0, frames - len(pictures))), *end], dim=2)
    latents, stride = encoder.latents(video), encoder.frame_stride
    is_given = torch.zeros(frames + stride - 1)  # the first frame fills a latent frame alone
    is_given[:stride] = 1
    if end:
        is_given[-1] = 1
    mask = is_given.view(1, -1, stride, 1, 1).transpose(1, 2).expand(-1, -1, -1, *latents.shape[3:])
    return torch.cat([mask.to(latents), latents], dim=1)
