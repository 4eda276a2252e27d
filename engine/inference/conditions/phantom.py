"""Phantom: pictures of its subjects as latent frames behind the clip's own, and guidance towards them."""

import torch
from torch import Tensor
from torch.nn.functional import pad

from catalog.recipe import Recipe
from engine.inference.conditions.conditions import Conditions, Encoded, Pass
from engine.inference.conditions.encoder import PictureEncoder
from engine.inference.conditions.given import Given

_GUIDANCE = 5.0


class Phantom(Conditions):
    """`references` are [1, C, K, h, w]; `guidance` is that towards them, beside the one towards the prompt."""

    def __init__(self, references: Tensor, guidance: float) -> None:
        self._references, self._guidance = references, guidance

    def velocity(
        self, passed: Pass, latents: Tensor, timestep: Tensor, dtype: torch.dtype, guidance: float
    ) -> Tensor:
        """Without all, towards the subjects, and from there towards the prompt: up to three passes.

        As everywhere guidance 1 is none, towards the subjects neither: accelerators are made for one pass. A
        pass that cancels out is not made.
        """
        seeing = self.arguments(self.settled(latents), timestep, dtype)
        with_prompt = passed(seeing, "prompt")
        if guidance == 1:
            return with_prompt
        seen = with_prompt if guidance == self._guidance else passed(seeing, "negative")
        if self._guidance == 1:
            without = seen
        else:
            without = passed(self.arguments(self._blind(latents), timestep, dtype), "negative")
        return without + self._guidance * (seen - without) + guidance * (with_prompt - seen)

    def settled(self, latents: Tensor) -> Tensor:
        """The latents with the references behind them."""
        return torch.cat([self._own(latents), self._references], dim=2)

    def shown(self, latents: Tensor) -> Tensor:
        """The clip's own frames."""
        return self._own(latents)

    def _blind(self, latents: Tensor) -> Tensor:
        return pad(self._own(latents), (0, 0, 0, 0, 0, self._references.shape[2]))

    def _own(self, latents: Tensor) -> Tensor:
        return latents[:, :, : -self._references.shape[2]]


class PhantomSight:
    """Sees reference images, at least one."""

    def __init__(self, encoder: PictureEncoder) -> None:
        self._encoder = encoder

    def encode(self, given: Given) -> Encoded:
        """A latent frame for each."""
        videos = [self._encoder.video(picture) for picture in given.references()]
        return (torch.cat([self._encoder.latents(video) for video in videos], dim=2),)

    def conditions(self, recipe: Recipe, encoded: Encoded) -> Conditions:
        """What was encoded, with the recipe's share of the guidance that the model was made for."""
        return Phantom(encoded[0], _GUIDANCE * recipe.inputs.conditioning_scale)
