"""VACE: a side branch that sees a control clip, which of its frames are to be made, and reference images."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from catalog.recipe import Recipe
from engine.inference.conditions.conditions import Arguments, Conditions, Encoded
from engine.inference.conditions.encoder import PictureEncoder
from engine.inference.conditions.given import Given


class Vace(Conditions):
    """`control` is [1, 2·C + 64, references + F, h, w]; each block of the branch is heard at `scale`."""

    def __init__(self, control: Tensor, scale: float, blocks: int, references: int) -> None:
        self._control, self._scale, self._blocks = control, scale, blocks
        self.leading = references

    def arguments(self, latents: Tensor, timestep: Tensor, dtype: torch.dtype) -> Arguments:
        """The branch's input with its strength."""
        scale = torch.full((self._blocks,), self._scale, dtype=dtype, device=latents.device)
        return {
            **super().arguments(latents, timestep, dtype),
            "control_hidden_states": self._control.to(dtype),
            "control_hidden_states_scale": scale,
        }


class VaceSight:
    """Sees a control clip, references, and pictures to begin and to end with; all of them may be missing."""

    def __init__(self, encoder: PictureEncoder, blocks: int) -> None:
        self._encoder, self._blocks = encoder, blocks

    def encode(self, given: Given) -> Encoded:
        """The branch's input. Start and end image are kept as they are, all other frames are made."""
        pixels, (width, height) = given.control(), given.size
        grey = torch.zeros(1, 3, given.frames, height, width)
        video = grey if pixels is None else self._encoder.video(pixels)
        is_made = [True] * given.frames
        for place, picture in ((0, given.start()), (-1, given.end())):
            if picture is not None:
                video[:, :, place] = self._encoder.video(picture)[:, :, 0]
                is_made[place] = False
        references = [self._encoder.video(picture) for picture in given.references()]
        return (_control(self._encoder, video, is_made, references),)

    def conditions(self, recipe: Recipe, encoded: Encoded) -> Conditions:
        """What was encoded, at the recipe's scale."""
        inputs = recipe.inputs
        return Vace(encoded[0], inputs.conditioning_scale, self._blocks, len(inputs.reference_images))


def _control(
    encoder: PictureEncoder, video: Tensor, is_made: Sequence[bool], references: Sequence[Tensor]
) -> Tensor:
    """The branch's input for a clip [1, 3, F, H, W] and references [1, 3, 1, H, W], the last of them first.

    Frames that are not made are kept as they are; the others only steer what is made there.
    """
    made = torch.tensor(is_made).to(video)
    frame = made.view(1, 1, -1, 1, 1)
    both = torch.cat([encoder.latents(video * (1 - frame)), encoder.latents(video * frame)], dim=1)
    mask = _mask(made.to(both), encoder.pixel_stride, both)
    for reference in references:
        latents = encoder.latents(reference)
        both = torch.cat([torch.cat([latents, torch.zeros_like(latents)], dim=1), both], dim=2)
        mask = torch.cat([torch.zeros_like(mask[:, :, :1]), mask], dim=2)
    return torch.cat([both, mask], dim=1)


def _mask(made: Tensor, pixel_stride: int, latents: Tensor) -> Tensor:
    """One channel for each pixel of a latent cell; of the frames in a latent frame the middle one counts."""
    frames, *size = latents.shape[2:]
    nearest = interpolate(made.view(1, 1, -1), size=frames, mode="nearest-exact").view(1, 1, -1, 1, 1)
    return nearest.expand(1, pixel_stride**2, frames, *size)
